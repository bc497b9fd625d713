"""open_clip, with a tokenizer of its own."""

import open_clip
import torch
from open_clip.push_to_hf_hub import save_for_hf

from tests.support.model import tiny_model

PARTS = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 64, "head_width": 64, "patch_size": 8},
    "text_cfg": {
        "context_length": 8,
        "vocab_size": 64,
        "width": 16,
        "heads": 2,
        "layers": 1,
        "hf_tokenizer_name": "tiny/bert",
    },
}


def make(root):
    torch.manual_seed(6)
    tokenizer = open_clip.tokenizer.HFTokenizer(str(tiny_model(root, "tiny/bert")), context_length=8)
    model = open_clip.CLIP(**PARTS)
    model.visual.image_mean, model.visual.image_std = (0.5,) * 3, (0.25,) * 3
    save_for_hf(model, tokenizer, PARTS, root / "tiny" / "clip", safe_serialization=True)


def load():
    model, _, _ = open_clip.create_model_and_transforms("hf-hub:tiny/clip")
    return model, open_clip.get_tokenizer("hf-hub:tiny/clip")(["the quick dog"])
