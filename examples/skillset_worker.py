"""A worker with several skills: text in, one JSON document with what each skill made of it out.

It is plain transformers code, in the style of worker frameworks that hand every skill its libraries in `resources`
and its models in `metadata`. It knows nothing of where the models come from:

    python -m ipfs_accelerate_py.hook run examples/skillset_worker.py "The quick brown fox"

Models by the environment: EMBED_MODEL, GENERATE_MODEL, CLASSIFY_MODEL; or as --embed, --generate, --classify.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from typing import Any

Handler = Callable[[str], Any]
DEFAULTS = {
    "embed": "sentence-transformers/all-MiniLM-L6-v2",
    "generate": "HuggingFaceTB/SmolLM2-135M",
    "classify": "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
}


class TextSkills:
    """Skills on text. `resources`: libraries, shared by all skills of a worker; `metadata["models"]`: task -> repo."""

    def __init__(self, resources: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None) -> None:
        self.resources = resources if resources is not None else {}
        self.metadata = metadata if metadata is not None else {}
        self.endpoint_handler: dict[str, Handler] = {}

    def init(self) -> dict[str, Handler]:
        """Loads what `metadata` names; the handler of each task."""
        if "torch" not in self.resources:
            import torch

            self.resources["torch"] = torch
        if "transformers" not in self.resources:
            import transformers

            self.resources["transformers"] = transformers
        create = {
            "embed": self.create_embedding_endpoint_handler,
            "generate": self.create_generation_endpoint_handler,
            "classify": self.create_classification_endpoint_handler,
        }
        for task, model in self.metadata.get("models", {}).items():
            self.endpoint_handler[task] = create[task](model)
        return self.endpoint_handler

    def create_embedding_endpoint_handler(self, name: str) -> Handler:
        torch, transformers = self.resources["torch"], self.resources["transformers"]
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = transformers.AutoModel.from_pretrained(name).eval()

        def embed(text: str) -> list[float]:
            tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=64)
            with torch.no_grad():
                states = model(**tokens).last_hidden_state
            return [round(number, 6) for number in states.mean(dim=1)[0].tolist()]

        return embed

    def create_generation_endpoint_handler(self, name: str) -> Handler:
        torch, transformers = self.resources["torch"], self.resources["transformers"]
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = transformers.AutoModelForCausalLM.from_pretrained(name).eval()

        def generate(text: str) -> str:
            tokens = tokenizer(text, return_tensors="pt")
            with torch.no_grad():
                made = model.generate(
                    tokens["input_ids"],
                    attention_mask=tokens["attention_mask"],
                    max_new_tokens=8,
                    do_sample=False,
                    pad_token_id=tokenizer.eos_token_id,
                )
            return str(tokenizer.decode(made[0], skip_special_tokens=True))

        return generate

    def create_classification_endpoint_handler(self, name: str) -> Handler:
        classifier = self.resources["transformers"].pipeline("text-classification", model=name)

        def classify(text: str) -> dict[str, Any]:
            (best,) = classifier(text)
            return {"label": best["label"], "score": round(best["score"], 6)}

        return classify


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", default="The same model on every machine.")
    for task, model in DEFAULTS.items():
        parser.add_argument(f"--{task}", default=os.environ.get(f"{task.upper()}_MODEL", model), metavar="REPO")
    arguments = parser.parse_args()
    models = {task: getattr(arguments, task) for task in DEFAULTS}
    handlers = TextSkills(resources={}, metadata={"models": models}).init()
    print(json.dumps({task: handle(arguments.text) for task, handle in handlers.items()}))


if __name__ == "__main__":
    main()
