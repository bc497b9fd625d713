"""The checks of probe.py, by what they look at. Those that change something put it back, or come last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Check = tuple[str, Callable[..., Any], tuple[Any, ...]]


def make_models(folder) -> None:
    """A tiny bert with its tokenizer, and a folder without a model."""
    from tests.support.model import tiny_model

    tiny_model(folder, "tiny/bert")
    (folder / "empty").mkdir(parents=True, exist_ok=True)


def checks() -> Iterator[Check]:
    """Label, function and arguments of each check, in the order in which they run."""
    from . import classes, functions, inputs, modules, patches, tools, typed

    for module in (classes, typed, tools, patches, functions, inputs, modules):
        for name, subjects in module.SUBJECTS.items():
            for function in module.CHECKS:
                if function.subjects == name:
                    for label, subject in subjects().items():
                        yield f"{function.__name__.replace('_', ' ')}: {label}", function, subject


def registry() -> tuple[list[Any], Callable[[str], Callable[[Any], Any]]]:
    """A list of checks, and the decorator that adds to it what is to run for each of some subjects."""
    found: list[Any] = []

    def check(subjects: str) -> Callable[[Any], Any]:
        def add(function: Any) -> Any:
            function.subjects = subjects
            found.append(function)
            return function

        return add

    return found, check


def auto_classes() -> dict[str, tuple[Any]]:
    import transformers

    names = ("AutoModel", "AutoConfig", "AutoTokenizer", "AutoModelForCausalLM", "AutoProcessor")
    return {name: (getattr(transformers, name),) for name in names}


def base_classes() -> dict[str, tuple[Any]]:
    import transformers

    names = ("PreTrainedModel", "PretrainedConfig", "PreTrainedTokenizerBase", "ProcessorMixin", "GenerationConfig")
    return {name: (getattr(transformers, name),) for name in (*names, "BertModel", "BertTokenizerFast")}


def hub_functions() -> dict[str, tuple[Any]]:
    from transformers.utils import hub

    names = ("cached_files", "cached_file", "list_repo_templates", "has_file", "hf_api", "resolve_revision")
    return {name: (getattr(hub, name),) for name in names if hasattr(hub, name)}
