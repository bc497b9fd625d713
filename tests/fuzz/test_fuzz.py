"""A short fuzz of each reader, with another seed each time (it is in the error); `make fuzz` is the long one."""

import contextlib
import os
import random

import pytest

from .run import fuzz
from .targets import TARGETS

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
