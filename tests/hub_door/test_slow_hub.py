"""A Hub that was silent for a moment and is well again, some way off: what plain gets from it, we get."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines


def test_after_a_silence_the_original_has_time_for_an_answer(run, hub):
    hub.latency = 0.15
    hub.fault(latency=6, times=1)

    found = run(
        """
say("first", lambda: os.path.getsize(hf_hub_download(MODEL, "config.json")))
say("second", lambda: os.path.getsize(hf_hub_download(MODEL, "README.md")))
""",
        IPFS_ACCELERATE_TIMEOUT="0.2",
    )

    assert found == {"first": 9, "second": 10}


def test_a_caller_who_gives_the_hub_more_time_has_it(run, hub):
    hub.fault(latency=3)

    found = run(
        'say("file", lambda: os.path.getsize(hf_hub_download(MODEL, "config.json", etag_timeout=8)))',
        IPFS_ACCELERATE_TIMEOUT="0.2",
    )

    assert found == {"file": 9}
