"""Bars for bytes on their way: by huggingface_hub's own tqdm, where and when huggingface_hub would show one.

    bar = progress.begin("model.safetensors", size)
    bar.source("node")      # the source that is asked now, with the bytes that are `held` already
    bar.advance(len(data))
    bar.clear()             # for another program's bar; the next `advance` draws it again
    bar.finish()

Every call is cheap, may come from any thread, and never raises. Nothing is drawn before the first `advance`, so a
source that draws a bar itself, as the Hub's own client does, just never calls it. A bar goes to stderr (in a notebook
it is a widget) and obeys `HF_HUB_DISABLE_PROGRESS_BARS`, the `disable_progress_bars()` of huggingface_hub and
transformers, and the log level of huggingface_hub, whose rules are asked and not repeated here.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Protocol

from ..session import session


class Bar(Protocol):
    """One file on its way."""

    def source(self, name: str, held: int = 0) -> None:
        """This source is asked now: begin anew, with what is there already."""

    def label(self, text: str) -> None:
        """What is being worked on now, where one bar is for many files."""

    def advance(self, size: int) -> None:
        """So many bytes more."""

    def clear(self) -> None:
        """Leave the terminal to another bar; the next `advance` draws this bar again."""

    def finish(self) -> None:
        """No more bytes will come, for whatever reason."""


class NoBar:
    """Draws nothing."""

    def source(self, name: str, held: int = 0) -> None: ...
    def label(self, text: str) -> None: ...
    def advance(self, size: int) -> None: ...
    def clear(self) -> None: ...
    def finish(self) -> None: ...


_NO_BAR = NoBar()
_WIDTH = 32  # of a label


class Progress:
    """Whether this process draws bars."""

    quiet = False


# The kind of bar that a caller of the client has asked for by `tqdm_class=`.
_asked_kind: ContextVar[type | None] = ContextVar("ipfs_accelerate_bar", default=None)


@contextlib.contextmanager
def drawn_as(kind: type | None) -> Iterator[None]:
    """While files are fetched for a caller who wants bars of this kind, maybe silent ones; None: the client's own."""
    token = _asked_kind.set(kind)
    try:
        yield
    finally:
        _asked_kind.reset(token)


def asked_kind() -> type | None:
    """The kind of bar that the caller wants, if one was named."""
    return _asked_kind.get()


def silence() -> None:
    """From now on this process draws no bars, nor does the Hub's client if it is not imported yet."""
    import os

    session.part(Progress).quiet = True
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"


def begin(name: str, size: int | None = None, unit: str = "B") -> Bar:
    """A bar for `size` bytes, None if that is unknown. `unit`: what is counted, if not bytes."""
    # Without a stderr huggingface_hub's bars fail; that must not be our load's end.
    return _NO_BAR if session.part(Progress).quiet or sys.stderr is None else _HubBar(name, size, unit)


class _HubBar:
    def __init__(self, name: str, size: int | None, unit: str) -> None:
        self._name, self._size, self._unit = name, size, unit
        self._kind = asked_kind()
        self._label: str | None = None
        self._bar: Any = None
        self._began = time.time()
        self._ended = False
        self._held = 0

    def source(self, name: str, held: int = 0) -> None:
        self._held = held
        if self._bar is not None:
            with contextlib.suppress(Exception):
                self._bar.reset()
                self._bar.n = self._bar.last_print_n = self._bar.initial = held
        self.label(name)

    def label(self, text: str) -> None:
        # the URL of a mirror would leave no room for the bar
        self._label = text = text if len(text) <= _WIDTH else f"{text[:12]}...{text[15 - _WIDTH :]}"
        if self._bar is not None:
            with contextlib.suppress(Exception):
                self._bar.set_postfix_str(text, refresh=False)

    def advance(self, size: int) -> None:
        if self._ended:
            return
        try:
            if self._bar is None:
                self._bar = self._open()
            self._bar.update(size)
        except Exception:  # a terminal that is gone, for example
            self._ended = True

    def clear(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            with contextlib.suppress(Exception):
                bar.leave = False
                bar.close()

    def finish(self) -> None:
        self._ended = True
        if self._bar is not None:
            with contextlib.suppress(Exception):
                self._bar.close()

    def _open(self) -> Any:
        import logging

        from huggingface_hub.utils.tqdm import is_tqdm_disabled, tqdm

        # The group's name and logger of huggingface_hub's own downloads: where those are switched off, so are ours.
        # A class that is not of its making decides for itself, as there.
        level = logging.getLogger("huggingface_hub.file_download").getEffectiveLevel()
        kind: Any = self._kind or tqdm
        # A terminal only: tqdm's `disable=None`, which this function gives.
        own = {"name": "huggingface_hub.http_get", "disable": is_tqdm_disabled(level)} if issubclass(kind, tqdm) else {}
        bar = kind(total=self._size, initial=self._held, desc=self._name, unit=self._unit, unit_scale=True, **own)
        bar.start_t = self._began  # for the rate: the first bytes took their time too
        if self._label:
            bar.set_postfix_str(self._label, refresh=False)
        return bar
