"""diffusers: a single model, which looks for safetensors and, where it finds none, for older names."""

import torch
from diffusers import UNet2DModel


def make(root):
    torch.manual_seed(3)
    UNet2DModel(
        sample_size=8, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(4, 8), norm_num_groups=2,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
    ).save_pretrained(root / "tiny" / "unet")  # fmt: skip


def load():
    return UNet2DModel.from_pretrained("tiny/unet")
