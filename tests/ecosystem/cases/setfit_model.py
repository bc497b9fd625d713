"""setfit: a sentence-transformers body and a head of scikit-learn's, and a base that is nowhere, which it asks for."""

import json

import numpy
from setfit import SetFitModel
from sklearn.linear_model import LogisticRegression

from . import sentence_transformers_model


def make(root):
    random = numpy.random.default_rng(0)
    head = LogisticRegression().fit(random.normal(size=(8, 16)), [0, 1] * 4)
    model = SetFitModel(model_body=sentence_transformers_model.body(root), model_head=head, labels=["no", "yes"])
    folder = root / "tiny" / "few-shot"
    model.save_pretrained(str(folder))
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "_name_or_path": "nobody/base"}))


def load():
    model = SetFitModel.from_pretrained("tiny/few-shot", device="cpu")
    return model.model_body, model.model_head.coef_, list(model.predict(["the quick dog"]))
