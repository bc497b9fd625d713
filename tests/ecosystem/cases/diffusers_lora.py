"""diffusers: a LoRA on a pipeline."""

import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from . import diffusers_pipeline


def make(root):
    if not (root / "tiny" / "diffusion").exists():
        diffusers_pipeline.make(root)
    unet = diffusers_pipeline.pipeline().unet
    torch.manual_seed(4)
    unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    StableDiffusionPipeline.save_lora_weights(root / "tiny" / "lora", get_peft_model_state_dict(unet))


def load():
    pipe = DiffusionPipeline.from_pretrained("tiny/diffusion")
    pipe.load_lora_weights("tiny/lora", weight_name="pytorch_lora_weights.safetensors")
    return pipe.unet
