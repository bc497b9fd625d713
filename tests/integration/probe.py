"""The child's side of these tests: evaluates lines of a user's program and says what came of each.

    python -c "from tests.integration.probe import tell; tell({'config': \"AutoConfig.from_pretrained('acme/bert')\"})"

prints one JSON document: per line the outcome (a fingerprint or the error), and when it began and ended. Nothing here
knows the hook: the same lines run with and without it, and the two documents are compared.
"""

from __future__ import annotations

import hashlib
import json
import time
import types
from typing import Any

LINES = """
from transformers import *
"""


def tell(lines: dict[str, str], before: str = "") -> None:
    """Evaluate each line in one namespace after executing `before`; print what came of them."""
    names: dict[str, Any] = {}
    exec("import torch, transformers\n" + before, names)
    names = _Names(names)
    print("\n" + json.dumps({label: _outcome(line, names) for label, line in lines.items()}))


class _Names(dict):  # type: ignore[type-arg]
    """A namespace in which every name that transformers has is there, imported when it is first used."""

    def __missing__(self, name: str) -> Any:
        import transformers

        try:
            return getattr(transformers, name)
        except AttributeError:
            raise KeyError(name) from None


def _outcome(line: str, names: dict[str, Any]) -> dict[str, Any]:
    import torch

    torch.manual_seed(0)
    outcome: dict[str, Any] = {"began": time.time()}
    try:
        value = eval(line, {**names["__builtins__"]}, names)
    except BaseException as error:
        outcome["error"] = {"type": _type(error), "bases": [c.__name__ for c in type(error).__mro__], "text": str(error)}
    else:
        outcome["value"] = fingerprint(value)
    outcome["ended"] = time.time()
    return outcome


def _type(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def fingerprint(value: Any) -> Any:
    """What a user could see of what he loaded, as JSON."""
    import torch
    import transformers as t

    if isinstance(value, torch.nn.Module):
        weights = hashlib.sha256()
        for name, tensor in sorted(value.state_dict().items()):
            weights.update(name.encode() + tensor.contiguous().numpy().tobytes())
        generation = getattr(value, "generation_config", None)
        return {
            "type": _type(value),
            "weights": weights.hexdigest(),
            "name_or_path": value.name_or_path,
            "config": fingerprint(value.config),
            "generation": generation and fingerprint(generation),
        }
    if isinstance(value, t.PreTrainedTokenizerBase):
        said = {key: str(what) for key, what in sorted(value.init_kwargs.items())}
        ids = value("the quick dog")["input_ids"]
        return {
            "type": _type(value),
            "name_or_path": value.name_or_path,
            "init_kwargs": said,
            "ids": ids,
            "vocabulary": sorted(value.get_vocab().items()),
            "repr": repr(value),
        }
    if isinstance(value, t.Pipeline):
        answer = value("the quick dog")
        return {"type": _type(value), "model": fingerprint(value.model), "answer": answer}
    if isinstance(value, t.PretrainedConfig | t.GenerationConfig):
        path, commit = getattr(value, "_name_or_path", None), getattr(value, "_commit_hash", None)
        return {"type": _type(value), "dict": value.to_dict(), "path": path, "commit": commit}
    if isinstance(value, t.ProcessorMixin):
        parts = {name: fingerprint(getattr(value, name)) for name in ("tokenizer", "feature_extractor", "image_processor") if hasattr(value, name)}
        return {"type": _type(value), "parts": parts, "dict": value.to_dict()}
    if hasattr(value, "to_dict"):
        return {"type": _type(value), "dict": value.to_dict(), "name": getattr(value, "name_or_path", None)}
    if isinstance(value, types.SimpleNamespace | dict | list | tuple | str | int | float | bool | None):
        return json.loads(json.dumps(value, default=str))
    return repr(value)
