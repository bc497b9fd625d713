"""The hook is active in every program that `hook run` starts and in its children, as far as Python allows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .conftest import make_clean_environment
from .run_probe.active import CHECKS, LIMITS
from .run_probe.ways import Ways


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ways")
    return Ways(folder, make_clean_environment(folder))


def is_active(ways: Ways, way: str, check) -> bool:
    answer = ways.answer(way, check)
    assert answer.code == 0, answer
    said = set(answer.stdout.split()) & {"True", "False"}
    assert said, answer
    return said == {"True"}


@pytest.mark.parametrize("name", CHECKS)
def test_active(ways, name):
    assert not is_active(ways, "plain", CHECKS[name])
    assert is_active(ways, "run", CHECKS[name])
    assert is_active(ways, "enabled", CHECKS[name])


@pytest.mark.parametrize("name", LIMITS)
def test_what_python_does_not_allow(ways, name):
    check, active = LIMITS[name]
    other = ways.environment("plain").python
    check = replace(check, environ={key: value.replace("{other}", other) for key, value in check.environ.items()})
    assert [way for way in ("plain", "run", "enabled") if is_active(ways, way, check)] == active
