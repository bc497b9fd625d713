"""timm."""

import timm
import torch
from timm.models import save_for_hf


def make(root):
    torch.manual_seed(5)
    model = timm.create_model("test_resnet", num_classes=4)
    save_for_hf(model, root / "tiny" / "resnet", safe_serialization=True)


def load():
    return timm.create_model("hf_hub:tiny/resnet", pretrained=True)
