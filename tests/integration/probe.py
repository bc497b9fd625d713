"""Lines of a user's program, evaluated in a fresh interpreter, and what came of each.

    outcomes = ask(machine, {"config": "AutoConfig.from_pretrained('tiny/bert')"})
    assert outcomes["config"].value == ask(plain, ..., hooked=False)["config"].value

The child's side, `tell`, knows nothing of the hook: the same lines run with and without it and are compared.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    """What one line gave: a value or an error, the requests that reached the Hub meanwhile, and how long it took.

    `said`: what transformers and huggingface_hub logged (logger, level, text), and what Python's `warnings` brought.
    """

    value: Any
    error: dict[str, Any] | None
    said: list[tuple[str, str, str]]
    requests: list[str]
    seconds: float


def ask(machine, lines, before="", *, hooked=True, env=None, timeout=180):
    """Evaluate the lines on a machine, in one interpreter and in order."""
    code = f"import sys; sys.path.append({str(ROOT)!r})\nfrom tests.integration.probe import tell\n"
    ran = machine.run(f"{code}tell({lines!r}, {before!r})", hooked=hooked, env=env, timeout=timeout)
    assert ran.returncode == 0, ran.stderr
    answer = ran.stdout.splitlines()[-1]
    log = list(machine.hub.log) if machine.hub else []
    return Outcomes(ran.stderr, {label: _outcome(row, log) for label, row in json.loads(answer).items()})


class Outcomes(dict):
    """Outcomes by label; `stderr` is what the program said there."""

    def __init__(self, stderr, outcomes):
        super().__init__(outcomes)
        self.stderr = stderr

    @property
    def requests(self):
        """What reached the Hub over all lines."""
        return [request for outcome in self.values() for request in outcome.requests]

    @property
    def errors(self):
        return {label: outcome.error for label, outcome in self.items() if outcome.error}

    def seen(self, replaced=()):
        """Per line the value, or type and text of the error, for comparing; `replaced`: texts that may differ."""
        text = json.dumps({label: [outcome.value, outcome.error] for label, outcome in self.items()}, sort_keys=True)
        for old, new in replaced:
            text = re.sub(old, new, text)
        return json.loads(text)


def _outcome(row, log):
    requests = [f"{r['method']} {r['path']}" for r in log if row["began"] <= r["t"] + 0.0001 and r["t"] <= row["ended"]]
    said = [tuple(each) for each in row["said"]]
    return Outcome(row.get("value"), row.get("error"), said, requests, row["ended"] - row["began"])


# -- in the child ------------------------------------------------------------------------------------------------------


class _Names(dict):
    """A namespace in which whatever transformers has is there, imported when it is first used."""

    def __missing__(self, name):
        import transformers

        try:
            return getattr(transformers, name)
        except AttributeError:
            raise KeyError(name) from None


def tell(lines, before=""):
    """Execute `before`, evaluate each line, print one JSON document as the last line of stdout."""
    names = _Names()
    exec(before, names)
    print("\n" + json.dumps({label: _evaluate(line, names) for label, line in lines.items()}))


def _evaluate(line, names):
    import torch

    torch.manual_seed(0)  # heads that a checkpoint lacks are random
    with listening() as said:
        row = {"said": said, "began": time.time()}
        try:
            row["value"] = fingerprint(eval(line, {}, names))
        except Exception as error:
            row["error"] = {"type": _type(error), "text": str(error)}
        row["ended"] = time.time()
    return row


@contextlib.contextmanager
def listening():
    """Collects what is logged and warned meanwhile, in order."""
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append((record.name, record.levelname, record.getMessage()))
    loggers = [logging.getLogger(name) for name in ("transformers", "huggingface_hub")]

    def show(message, category, *rest, **options):
        said.append(("warnings", category.__name__, str(message)))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        for logger in loggers:
            logger.addHandler(handler)
        try:
            yield said
        finally:
            for logger in loggers:
                logger.removeHandler(handler)


def _type(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"


def fingerprint(value):
    """What a user can see of what was loaded, as JSON."""
    import torch
    import transformers

    seen = {"type": _type(value)}
    if isinstance(value, torch.nn.Module):
        weights = hashlib.sha256()
        for name, tensor in sorted(value.state_dict().items()):
            weights.update(name.encode() + tensor.contiguous().numpy().tobytes())
        generation = getattr(value, "generation_config", None)
        seen |= {"weights": weights.hexdigest(), "name_or_path": value.name_or_path}
        seen |= {"config": fingerprint(value.config), "generation": generation and fingerprint(generation)}
    elif isinstance(value, transformers.PreTrainedTokenizerBase):
        seen |= {"init_kwargs": {key: str(what) for key, what in sorted(value.init_kwargs.items())}}
        seen |= {"name_or_path": value.name_or_path, "repr": repr(value), "ids": value("the quick dog")["input_ids"]}
    elif isinstance(value, transformers.Pipeline):
        seen |= {"model": fingerprint(value.model), "answer": value("the quick dog")}
    elif isinstance(value, transformers.ProcessorMixin):
        seen |= {"parts": {name: fingerprint(part) for name, part in sorted(vars(value).items()) if part is not None}}
    elif hasattr(value, "to_dict"):
        seen |= {"dict": json.loads(json.dumps(value.to_dict(), default=str, sort_keys=True))}
        seen |= {name: getattr(value, name, None) for name in ("_name_or_path", "name_or_path", "_commit_hash")}
    else:
        return json.loads(json.dumps(value, default=str))
    return seen
