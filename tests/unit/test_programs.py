"""Which programs `run` takes for a Python that it can ask whether the hook is there."""

import pytest

from ipfs_accelerate_py.startup import programs


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("python", "python3", "python3.13", "python3.13t", "pythonw.exe", "pypy3.10")),
        *((name, False) for name in ("python-config", "python3.13-config", "pythonize", "python3-dbg-tool", "sh", "")),
    ],
)
def test_a_pythons_name(name, expected):
    assert programs._is_python(name) is expected
