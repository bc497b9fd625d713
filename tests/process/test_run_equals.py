"""`hook run X` is `python X`: the same exit code, output and messages, check by check."""

from __future__ import annotations

import pytest

from .conftest import make_clean_environment
from .run_probe import CHECKS
from .run_probe.ways import Answer, Ways

WAYS = {"run": "by PYTHONPATH", "enabled": "where a startup file is enabled"}


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ways")
    return Ways(folder, make_clean_environment(folder))


@pytest.mark.parametrize("name", CHECKS)
def test_equals_python(ways: Ways, name: str):
    check = CHECKS[name]
    plain = ways.answer("plain", check)
    if check.code is not None:
        assert plain.code == check.code, plain
    for way in WAYS:
        answer = ways.answer(way, check)
        if check.code_only:
            assert answer.code == plain.code, answer.stderr
            continue
        if way in check.said:
            line, _, rest = answer.stderr.partition("\n")
            assert line.startswith("ipfs_accelerate: ") and "running plain Python" in line
            answer = Answer(answer.code, answer.stdout, rest)
        assert answer == plain, WAYS[way]


def test_there_are_enough():
    assert len(CHECKS) >= 80
