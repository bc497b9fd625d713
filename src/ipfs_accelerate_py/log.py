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
    """Return whether the program has given the root logger, or ours, a handler."""
    ours = logging.getLogger(NAME).handlers
    return bool(logging.getLogger().handlers) or any(not isinstance(each, _StderrHandler) for each in ours)


def get_logger() -> logging.Logger:
    """The package's logger: IPFS_ACCELERATE_LOG gives its level, unless the program has given it one.

    Without that it writes no more than transformers and huggingface_hub are to write.
    """
    level = session.part(Level)
    logger = logging.getLogger(NAME)
    if not any(isinstance(handler, _StderrHandler) for handler in logger.handlers):
        logger.addHandler(_StderrHandler())
    if logger.level in (logging.NOTSET, level.by_us):
        logger.setLevel(_choose_level())
        level.by_us = logger.level
    return logger


class Reported(Recent[str, bool]):
    """Lines that this process has logged and does not log again."""


def _is_new(text: str) -> bool:
    reported = session.part(Reported)
    return text not in reported and reported.setdefault(text, True)


def say_once(text: str) -> None:
    """Log a line at INFO, unless this process has logged it before."""
    if _is_new(text):
        get_logger().info("%s", text)


def warn_once(text: str, exc_info: BaseException | None = None) -> bool:
    """Log a warning, unless this process has logged it before; return whether it was logged."""
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
    # a user who makes these quiet, by `set_verbosity_error()` or TRANSFORMERS_VERBOSITY, means the whole of a load
    return max(level, *(logging.getLogger(name).level for name in ("transformers", "huggingface_hub")))


def _report(message: str) -> None:
    get_logger().warning("%s", message)


settings.report = _report
