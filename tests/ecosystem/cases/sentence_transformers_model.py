"""sentence-transformers: a body, pooling, normalization."""

from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer

from tests.support.model import tiny_model


def make(root):
    body(root).save_pretrained(str(root / "tiny" / "sentences"), create_model_card=False)


def body(root):
    """The model, of the tiny bert."""
    transformer = Transformer(str(tiny_model(root, "tiny/bert")))
    return SentenceTransformer(modules=[transformer, Pooling(16), Normalize()], device="cpu")


def load():
    model = SentenceTransformer("tiny/sentences", device="cpu")
    return model, model.encode(["the quick dog", "a big cold river"])
