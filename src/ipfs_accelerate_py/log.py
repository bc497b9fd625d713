"""Our one logger: stderr unless the program has set up `logging` itself, and never stdout."""

from __future__ import annotations

import logging
import sys

NAME = "ipfs_accelerate_py"


class _StderrHandler(logging.StreamHandler):
    """Writes to whatever `sys.stderr` is at that moment, and steps back once the root logger has handlers."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    @property
    def stream(self):
        return sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger().handlers and sys.stderr is not None:
            super().emit(record)


def get_logger() -> logging.Logger:
    """The package's logger, with its stderr handler at the level that IPFS_ACCELERATE_LOG names."""
    logger = logging.getLogger(NAME)
    if not any(isinstance(handler, _StderrHandler) for handler in logger.handlers):
        logger.addHandler(_StderrHandler())
        if logger.level == logging.NOTSET:
            from .errors import SettingsError
            from .settings import read_setting

            try:
                logger.setLevel(read_setting("log"))
            except SettingsError as error:
                logger.setLevel(logging.WARNING)
                logger.warning("%s: %s; going on with 'WARNING'", error, error.hint)
    return logger
