"""A revision that was resolved for another repo means what it means to plain: that commit."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines

CALLS = """
if hasattr(huggingface_hub, "resolve_revision"):
    other = huggingface_hub.resolve_revision("org/data", repo_type="dataset")
    say("file", lambda: hf_hub_download(MODEL, "config.json", revision=other))
    say("snapshot", lambda: snapshot_download(MODEL, revision=other))
"""


def test_of_another_repo(run):
    found, plain = (run(CALLS, hooked=hooked) for hooked in (True, False))

    assert {name: value[2] for name, value in found.items()} == {name: value[2] for name, value in plain.items()}
