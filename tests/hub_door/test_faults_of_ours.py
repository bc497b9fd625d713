"""An error of our own, which no state of the world explains: the original runs, and a line says so if that succeeds."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines

BROKEN = """
from ipfs_accelerate_py.libraries.huggingface_hub import presence
def broken(*_):
    raise ZeroDivisionError("ours")
presence.look_up = broken
"""
LINE = "going on as without the hook: ZeroDivisionError: ours"


def test_a_call_that_plain_serves_is_served_and_said(run):
    found = run(BROKEN + 'say("file", lambda: open(hf_hub_download(MODEL, "config.json")).read())')

    assert found["file"] == '{"a": 1}\n'
    assert run.stderr.count(LINE) == 1


def test_a_call_that_plain_fails_too_ends_as_plain_ends(run):
    code = 'say("file", lambda: hf_hub_download("org/none", "config.json"))'
    found = run(BROKEN + code)
    assert LINE not in run.stderr

    plain = run(code, hooked=False)
    assert (found["file"][0], found["file"][2]) == (plain["file"][0], plain["file"][2])
