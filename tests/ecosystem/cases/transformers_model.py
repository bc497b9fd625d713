"""transformers itself, which has doors of its own: for comparing."""

from transformers import AutoModel, AutoTokenizer

from tests.support.model import tiny_model


def make(root):
    tiny_model(root, "tiny/bert")


def load():
    tokenizer = AutoTokenizer.from_pretrained("tiny/bert")
    return AutoModel.from_pretrained("tiny/bert"), tokenizer("the quick dog")["input_ids"]
