"""A short fuzz of each reader, with another seed each time (it is in the error); `make fuzz` is the long one."""

import contextlib
import os
import random
import time

import pytest

from ipfs_accelerate_py.errors import SourceError

from .run import fuzz
from .targets import TARGETS
from .words import BlockTarget, field

SECONDS = 3.0


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_only_the_named_errors_and_no_wrong_byte(target, tmp_path):
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    count = fuzz(target, tmp_path / "here", seed, seconds=SECONDS)
    print(count)
    assert count.tried > 100 and count.refused.total() > count.tried / 20


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_is_not_changed_is_taken(target, tmp_path):
    """Else the fuzz would look at nothing."""
    (tmp_path / "store").mkdir()
    made = target(tmp_path / "store")
    taken = 0
    try:
        for _ in range(40):
            for seed in made.seeds:
                with contextlib.suppress(*made.allowed):
                    taken += made.run(seed)
    finally:
        made.stop()
    assert taken > 5


def test_a_file_of_links_to_nothing_is_given_up(tmp_path):
    """A thousand links to a block of a thousand links, and so on, to an empty one: few blocks, no bytes, no end."""
    target = BlockTarget(tmp_path)
    cid = target._cid(0x55, b"")
    for _ in range(5):
        node = field(2, field(1, cid)) * 1000 + field(1, field(1, 2))
        cid = target._cid(0x70, node)
    began = time.monotonic()
    with pytest.raises(SourceError):
        target.run(node)
    assert time.monotonic() - began < 10
