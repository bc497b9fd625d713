"""diffusers: a whole pipeline, of Stable Diffusion's kind."""

import json

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiffusionPipeline, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer


def make(root):
    pipeline().save_pretrained(root / "tiny" / "diffusion")


def pipeline():
    """Random and small."""
    torch.manual_seed(2)
    unet = UNet2DConditionModel(
        block_out_channels=(4, 8), layers_per_block=1, sample_size=8, in_channels=4, out_channels=4, norm_num_groups=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=8, attention_head_dim=2,
    )  # fmt: skip
    vae = AutoencoderKL(block_out_channels=(4,), norm_num_groups=2, latent_channels=4, sample_size=8)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=64, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=16, bos_token_id=0, eos_token_id=1, pad_token_id=1,
        )
    )  # fmt: skip
    return StableDiffusionPipeline(
        vae, text, tokenizer(), unet, DDIMScheduler(), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip


def tokenizer():
    """Of single letters."""
    letters = [letter + end for letter in "abcdefghijklmnopqrstuvwxyz" for end in ("", "</w>")]
    words = ["<|startoftext|>", "<|endoftext|>", *letters]
    return CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[])


def load():
    pipe = DiffusionPipeline.from_pretrained("tiny/diffusion")
    parts = {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}
    return parts, pipe.tokenizer("a dog")["input_ids"], json.loads(pipe.scheduler.to_json_string())
