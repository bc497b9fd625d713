"""Our one logger: stderr unless the program has set up `logging` itself, and never stdout."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from .config import settings
from .session import Recent, session

NAME = "ipfs_accelerate_py"


class Level:
    """The level that we gave the logger: one that the program has given it stays."""

    by_us = logging.NOTSET


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]  # a plain class before Python 3.11
    """Writes to whatever `sys.stderr` is at that moment, and steps back once the program has handlers of its own."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        if not _is_set_up() and sys.stderr is not None:
            super().emit(record)


def _is_set_up() -> bool:
    """Has the program given the root logger, or ours, a handler?"""
    ours = logging.getLogger(NAME).handlers
    return bool(logging.getLogger().handlers) or any(not isinstance(each, _StderrHandler) for each in ours)


def get_logger() -> logging.Logger:
    """The package's logger: IPFS_ACCELERATE_LOG gives its level, unless the program has given it one.

    Without that it says no more than transformers and huggingface_hub are to say.
    """
    level = session.part(Level)
    logger = logging.getLogger(NAME)
    if not any(isinstance(handler, _StderrHandler) for handler in logger.handlers):
        logger.addHandler(_StderrHandler())
    if logger.level in (logging.NOTSET, level.by_us):
        logger.setLevel(_choose_level())
        level.by_us = logger.level
    return logger


class Said(Recent[str, bool]):
    """What this process has said and does not say again."""


def _is_new(text: str) -> bool:
    said = session.part(Said)
    return text not in said and said.setdefault(text, True)


def say_once(text: str) -> None:
    """A line at the level of information that this process has not given yet."""
    if _is_new(text):
        get_logger().info("%s", text)


def warn_once(text: str, exc_info: BaseException | None = None) -> bool:
    """A warning that this process has not given yet; False if it has."""
    if not _is_new(text):
        return False
    get_logger().warning("%s", text, exc_info=exc_info)
    return True


def _choose_level() -> int:
    if _is_set_up() and not settings.is_given("log"):
        return logging.NOTSET  # the program's set-up decides alone
    level: int = logging.getLevelName(settings.read_or_default("log"))
    if settings.is_given("log"):
        return level
    # who told these to be quiet, by `set_verbosity_error()` or TRANSFORMERS_VERBOSITY, meant the whole of a load
    return max(level, *(logging.getLogger(name).level for name in ("transformers", "huggingface_hub")))


def _report(message: str) -> None:
    get_logger().warning("%s", message)


settings.report = _report
