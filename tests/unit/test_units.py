"""Ages and sizes of the command line, as tables."""

from argparse import ArgumentTypeError

import pytest

from ipfs_accelerate_py.cli.units import read_age, read_size
from ipfs_accelerate_py.files import say_size

AGES = {"12h": 43200, "30d": 2592000, "2w": 1209600, "1.5d": 129600, " 1D ": 86400, "0h": 0}
SIZES = {
    "0": 0,
    "1000": 1000,
    "10B": 10,
    "1kB": 1000,
    "1KB": 1000,
    "1.5MB": 1500000,
    "50GB": 50 * 10**9,
    "50 gb": 50 * 10**9,
    "2TB": 2 * 10**12,
    "1KiB": 1024,
    "1MiB": 1 << 20,
    "50GiB": 50 << 30,
    "1TiB": 1 << 40,
}


@pytest.mark.parametrize("text", AGES)
def test_age(text):
    assert read_age(text) == AGES[text]


@pytest.mark.parametrize(
    "text", ["", "30", "d", "-1d", "30x", "30 days", "1e3d", "3d4h", "nan", "٣d", "30d\n30d", "9" * 400 + "d"]
)
def test_no_age(text):
    with pytest.raises(ArgumentTypeError, match=r"30d"):
        read_age(text)


@pytest.mark.parametrize("text", SIZES)
def test_size(text):
    assert read_size(text) == SIZES[text] and isinstance(read_size(text), int)


@pytest.mark.parametrize(
    "text", ["", "GB", "-1GB", "50XB", "50 Gb/s", "1,5GB", "inf", "0x10", "50GBB", "9" * 400 + "PB", "9" * 400]
)
def test_no_size(text):
    with pytest.raises(ArgumentTypeError, match="GB"):
        read_size(text)


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_100_000, "4.1 MB"), (3 * 10**15, "3000.0 TB")]
)
def test_size_for_people(size, said):
    assert say_size(size) == said


@pytest.mark.parametrize(
    ("size", "unit", "said"),
    [
        (0, "GB", "0.0 GB"),
        (104_857_600, "GB", "0.1 GB"),
        (3 * 10**12, "GB", "3000.0 GB"),
        (4_100, "B", "4100 B"),
    ],
)
def test_size_for_people_in_one_unit(size, unit, said):
    assert say_size(size, unit) == said
