"""A program that a test needs and that is not here: skipped, with what to do; in continuous integration a failure."""

from __future__ import annotations

import os
from typing import Protocol

import pytest


class Program(Protocol):
    """Kubo, the S3 server."""

    @classmethod
    def missing(cls) -> str: ...


def need(program: type[Program]) -> None:
    """Returns if it is here."""
    if missing := program.missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
