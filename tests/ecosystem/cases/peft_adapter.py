"""peft: an adapter, and the base that it names."""

from peft import AutoPeftModelForCausalLM

from tests.support.model import tiny_model
from tests.support.rare_models import make_adapter


def make(root):
    tiny_model(root, "tiny/gpt2", "gpt2")
    make_adapter(root, root / "tiny" / "adapter")
    (root / "tiny" / "adapter" / "README.md").unlink()  # it names a folder of this machine


def load():
    return AutoPeftModelForCausalLM.from_pretrained("tiny/adapter")
