"""Loads of local folders, names that are none, classes of the user's own, and patches of other libraries."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from pathlib import Path

from . import auto_classes, registry

CHECKS, check = registry()
BERT = "models/tiny/bert"


def loaders():
    from transformers import BertModel

    names = ("AutoModel", "AutoConfig", "AutoTokenizer")
    return {**{name: auto_classes()[name] for name in names}, "BertModel": (BertModel,)}


SUBJECTS = {"loader": loaders, "once": lambda: {"transformers": ()}}


class Named(os.PathLike):
    """A path of another library's making."""

    def __fspath__(self):
        return BERT


@check("loader")
def folder_by_name(X):
    return type(X.from_pretrained(BERT))


@check("loader")
def folder_by_keyword(X):
    return type(X.from_pretrained(pretrained_model_name_or_path=BERT))


@check("loader")
def folder_by_path(X):
    return type(X.from_pretrained(Path(BERT))), type(X.from_pretrained(Named()))


@check("loader")
def folder_that_looks_like_a_repo(X):
    here = os.getcwd()
    os.chdir("models")
    try:
        return type(X.from_pretrained("tiny/bert"))
    finally:
        os.chdir(here)


@check("loader")
def classes_of_what_was_loaded(X):
    made = X.from_pretrained(BERT)
    return type(made).__mro__, made.name_or_path, isinstance(made, type(made))


@check("loader")
def pickled_instance(X):
    made = pickle.loads(pickle.dumps(X.from_pretrained(BERT)))
    return type(made), type(made).__module__


for label, args in {
    "none": (None,),
    "an int": (1,),
    "nothing": (),
    "bytes": (b"tiny/bert",),
    "the empty string": ("",),
    "a list": (["tiny/bert"],),
    "a folder without a model": ("models/empty",),
    "a file": ("models/tiny/bert/config.json",),
    "no folder": ("./models/nowhere",),
    "a name that cannot be": ("a/b/c/d",),
    "a name with NUL": ("a\0b",),
    "a repo that is not there": ("tiny/nobody",),
    "a model object": (object(),),
    "True": (True,),
}.items():

    def bad_name(X, args=args):
        return X.from_pretrained(*args)

    bad_name.__name__ = f"bad name, {label}"
    check("loader")(bad_name)


@check("loader")
def twice_named(X):
    return X.from_pretrained(BERT, pretrained_model_name_or_path=BERT)


@check("loader")
def bad_keywords(X):
    return X.from_pretrained("tiny/nobody", revision=1, cache_dir=2, token=3)


@check("loader")
def frames_of_an_error(X):
    """What a traceback shows: at most two frames that are not transformers' own per nested call."""
    try:
        X.from_pretrained("models/empty")
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        foreign = [frame for frame in frames if "ipfs_accelerate_py" in frame.filename or "wrapt" in frame.filename]
        calls = [frame for frame in frames if frame.name == "from_pretrained"]
        return len(foreign) <= 2 * max(1, len(calls)), "ipfs_accelerate" in str(error), error.__cause__ is None


# -- the user's own ---------------------------------------------------------------------------------------------------


@check("once")
def own_classes_registered():
    import torch
    from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

    class OwnConfig(PretrainedConfig):
        model_type = "probe-own"

    class OwnModel(PreTrainedModel):
        config_class = OwnConfig

        def __init__(self, config):
            super().__init__(config)
            self.line = torch.nn.Linear(2, 2)
            self.post_init()

    AutoConfig.register("probe-own", OwnConfig)
    AutoModel.register(OwnConfig, OwnModel)
    OwnModel(OwnConfig()).save_pretrained("own")
    loaded = AutoModel.from_pretrained("own"), AutoConfig.from_pretrained("own"), AutoModel.from_config(OwnConfig())
    OwnModel.register_for_auto_class("AutoModel")
    return [type(made).__name__ for made in loaded], OwnModel._auto_class


@check("once")
def registered_twice():
    from transformers import AutoConfig, BertConfig

    AutoConfig.register("bert", BertConfig)


@check("once")
def own_loading_method():
    """`super()` in each form, and a load inside a load."""
    from transformers import AutoConfig, AutoModel, BertModel

    seen = []

    class Own(AutoModel):
        @classmethod
        def from_pretrained(cls, name, *args, **kwargs):
            seen.append((cls.__name__, name, AutoConfig.from_pretrained(name).model_type))
            return super().from_pretrained(name, *args, **kwargs)

    class Concrete(BertModel):
        @classmethod
        def from_pretrained(cls, name, *args, **kwargs):
            seen.append((cls.__name__, type(BertModel.from_pretrained(name)).__name__))
            return super(Concrete, cls).from_pretrained(name, *args, **kwargs)  # noqa: UP008

    return type(Own.from_pretrained(BERT)), type(Concrete.from_pretrained(BERT)).__name__, seen


def patched_by(library, X, log):
    """Another library's way to patch; returns what takes it back."""
    before = vars(X).get("from_pretrained")
    saved = X.from_pretrained

    def from_pretrained(cls, *args, **kwargs):
        log.append(library)
        return saved(*args, **kwargs)

    X.from_pretrained = classmethod(from_pretrained)

    def undo():
        if before is None:
            del X.from_pretrained
        else:
            X.from_pretrained = before

    return undo


@check("loader")
def patched_and_taken_back_in_order(X):
    log = []
    undo_first, undo_last = patched_by("first", X, log), patched_by("last", X, log)
    X.from_pretrained(BERT)
    undo_last()
    X.from_pretrained(BERT)
    undo_first()
    return type(X.from_pretrained(BERT)), log, repr(X.from_pretrained)


@check("loader")
def patched_and_taken_back_out_of_order(X):
    local = vars(X.mro()[0]).get("from_pretrained")
    log = []
    undo_first, undo_last = patched_by("first", X, log), patched_by("last", X, log)
    undo_first()
    seen = type(X.from_pretrained(BERT)), list(log)
    if local is not None:
        undo_last()
        X.from_pretrained = local
    return *seen, type(X.from_pretrained(BERT)), log


@check("once")
def finders():
    return [getattr(each, "__name__", type(each).__name__) for each in sys.meta_path if "ipfs_acc" not in repr(each)]


@check("once")
def signals():
    import signal

    return [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)]
