"""A first download in every state of a Hub and of mirrors: what plain does right is done right, with no byte twice."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.never_worse.hubs import HUBS
from tests.support.machine import Machine

from .conftest import FILES, MODEL, WEIGHTS

pytestmark = pytest.mark.lines

# of the rest plain waits for half a minute and more, or it is a node's: they are in the table of the loads
STATES = [name for name in HUBS if not re.search("hang|node|refuses|503|cdn-resets|slow", name)]
DIGESTS = [hashlib.md5(FILES[f"{MODEL}/{path}"]).hexdigest() for path in (WEIGHTS, "config.json")]
NAMES = sorted(path.removeprefix(f"{MODEL}/") for path in FILES if path.startswith(MODEL))
RIGHT = {"weights": DIGESTS[0], "config": DIGESTS[1], "names": NAMES, "again": DIGESTS[0]}
CODE = """
def digest(path):
    return __import__("hashlib").md5(open(hf_hub_download(MODEL, path), "rb").read()).hexdigest()
say("weights", lambda: digest(WEIGHTS))
say("config", lambda: digest("config.json"))
say("names", lambda: sorted(file.rfilename for file in HfApi().model_info(MODEL).siblings))
say("again", lambda: digest(WEIGHTS))
"""


@pytest.mark.parametrize("state", STATES)
def test_what_plain_gets_is_got_and_no_byte_twice(repos, tmp_path, run, state):
    found = {}
    for side in ("plain", "hooked"):
        machine = Machine(tmp_path / side, HF_HUB_DISABLE_PROGRESS_BARS="1")
        with HUBS[state].serve({MODEL: [repos / MODEL]}) as environment:
            found[side] = run(CODE, on=machine, hooked=side == "hooked", **environment)
        found[side, "disk"] = sum(
            size for size in {file.stat().st_ino: file.stat().st_size for file in machine.home.rglob("*")}.values()
        )

    for name, plain in found["plain"].items():
        ours = found["hooked"][name]
        if (state, name) == ("half-refused", "names"):  # a question that plain asks once: each second one is refused
            continue
        assert ours == plain or ours == RIGHT[name] or (has_failed(ours) and ours[0] == plain[0]), name
    assert found["hooked", "disk"] <= found["plain", "disk"] + 200_000, "a second copy"


def has_failed(said):
    """The class of an error, its text and its bases."""
    return isinstance(said, list) and isinstance(said[-1], list)
