"""A user who has told the libraries of Hugging Face to be quiet gets no warning of ours either."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines
# any warning of ours will do: this one comes with the first load
BAD = {"IPFS_ACCELERATE_TIMEOUT": "soon"}
LOAD = """
from transformers.utils.hub import cached_file
print(cached_file("org/name", "config.json", _raise_exceptions_for_missing_entries=False,
                  _raise_exceptions_for_connection_errors=False, _raise_exceptions_for_gated_repo=False,
                  local_files_only=True))
"""
QUIET = {
    "TRANSFORMERS_VERBOSITY": ("", {"TRANSFORMERS_VERBOSITY": "error"}),
    "HF_HUB_VERBOSITY": ("", {"HF_HUB_VERBOSITY": "critical"}),
    "transformers": ("import transformers.utils.logging as t; t.set_verbosity_error()\n", {}),
    "huggingface_hub": ("import huggingface_hub.utils.logging as h; h.set_verbosity_error()\n", {}),
}


def is_warned(done):
    assert done.returncode == 0 and done.stdout == "None\n"
    return "IPFS_ACCELERATE_TIMEOUT='soon'" in done.stderr


def test_a_warning_is_seen(machine):
    assert is_warned(machine("a").run(LOAD, env=BAD))


@pytest.mark.parametrize("name", QUIET)
def test_quiet(machine, name):
    code, env = QUIET[name]
    assert not is_warned(machine("a").run(code + LOAD, env={**BAD, **env}))


def test_our_own_variable_counts_more(machine):
    env = {**BAD, "TRANSFORMERS_VERBOSITY": "error", "IPFS_ACCELERATE_LOG": "WARNING"}
    assert is_warned(machine("a").run(LOAD, env=env))
