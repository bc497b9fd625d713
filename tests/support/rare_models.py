"""Repos of the rarer kinds, made from the tiny models: a peft adapter, a GGUF file. A process of its own makes them."""

from __future__ import annotations

import sys
from pathlib import Path


def make_adapter(models: Path, folder: Path) -> None:
    """A LoRA adapter, with weights that change the answers, of the repo `tiny/gpt2`."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_pretrained(models / "tiny" / "gpt2")
    settings = peft.LoraConfig(target_modules=["c_attn"], r=2, init_lora_weights=False, fan_in_fan_out=True)
    adapted = peft.get_peft_model(base, settings)
    adapted.peft_config["default"].base_model_name_or_path = "tiny/gpt2"
    adapted.save_pretrained(folder)


def make_gguf(folder: Path) -> None:
    """A llama of one small layer in a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)."""
    import gguf
    import numpy

    width, inner, words = 32, 64, 64
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // 2)
    writer.add_vocab_size(words)
    random = numpy.random.default_rng(0)
    shapes = {
        "token_embd": (words, width),
        "output": (words, width),
        "output_norm": (width,),
        "blk.0.attn_norm": (width,),
        "blk.0.ffn_norm": (width,),
        **{f"blk.0.attn_{part}": (width, width) for part in ("q", "k", "v", "output")},
        **{f"blk.0.ffn_{part}": (inner, width) for part in ("gate", "up")},
        "blk.0.ffn_down": (width, inner),
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(size=shape).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    make_adapter(Path(sys.argv[1]), Path(sys.argv[2]) / "adapter")
    make_gguf(Path(sys.argv[2]) / "gguf")
