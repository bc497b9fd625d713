"""Eight threads that import transformers for the first time at once: under the hook all succeed (plain: few)."""

from __future__ import annotations

import pytest

from tests.benchmarks.first_import import CODE
from tests.support.machine import Machine

pytestmark = pytest.mark.lines


@pytest.mark.timeout(180)
def test_eight_threads(tmp_path, tiny_hub):
    """In each interpreter, by either way in, all eight get a class that loads, and it loads through us."""
    machine = Machine(tmp_path / "m", hub=tiny_hub)
    load = "print([cls.from_pretrained('tiny/bert').model_type for cls in good] == ['bert'] * len(good))"
    on = {"IPFS_ACCELERATE": "1"}
    for before, hooked in (("", True), ("import ipfs_accelerate_py", False), ("import ipfs_accelerate_py", False)):
        ran = machine.run(f"{before}\n{CODE}\n{load}", hooked=hooked, env=on)
        assert ran.stdout.split() == ["8", "True"], ran.stderr
    assert (machine.store / "models--tiny--bert").is_dir()
    assert not machine.copies()
