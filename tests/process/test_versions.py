"""Versions of transformers outside of the tested range: named once; a newer one is patched where it fits."""

from __future__ import annotations

import pytest

# The names are the installed version's, only its number is another, as in a release with the same doors.
CODE = """
import os, transformers
transformers.__version__ = {version!r}
import ipfs_accelerate_py
transformers.AutoConfig.from_pretrained("tiny/bert")
transformers.AutoTokenizer.from_pretrained("tiny/bert")
print(os.path.isdir(os.path.join(os.environ["IPFS_ACCELERATE_HOME"], "models--tiny--bert")))
print(len(ipfs_accelerate_py.get_status()["patched_classes"]) > 0)
"""


@pytest.mark.lines
@pytest.mark.parametrize(
    ("version", "patched", "rest"),
    [("6.1.0", "True", "what still fits is patched"), ("4.56.2", "False", "the hook stays out of the way")],
)
def test_a_version_outside_of_the_tested_range_is_named_once(version, patched, rest, machine, tiny_hub):
    done = machine("user", hub=tiny_hub).run(CODE.format(version=version), hooked=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", patched]  # where transformers has no doors, its client still has
    warnings = [line for line in done.stderr.splitlines() if "outside the tested range" in line]
    assert len(warnings) == 1
    assert version in warnings[0] and rest in warnings[0]


def test_a_version_that_is_no_number_is_taken_as_known(machine, tiny_hub):
    done = machine("user", hub=tiny_hub).run(CODE.format(version="v5"), hooked=False)
    assert done.stdout.split() == ["True", "True"], done.stderr
