"""A range that is fetched ahead: read while it grows, and gone with its writer."""

import os
import subprocess
import sys

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.fetch.segment import Segment, name_of, remove_dead
from ipfs_accelerate_py.store import partial

ETAG = "e" * 64


def test_it_is_found_by_where_it_begins_and_grows(tmp_path):
    segment = Segment(tmp_path, ETAG, 100, 110)
    try:
        segment.write(b"12345")
        file = partial.open_growing(tmp_path, name_of(ETAG, 100))
        assert file is not None and os.read(file, 99) == b"12345"
        segment.write(b"67890")
        assert os.read(file, 99) == b"67890" and segment.size == 110
        os.close(file)
        assert partial.open_growing(tmp_path, name_of(ETAG, 101)) is None
        assert partial.open_growing(tmp_path, ETAG) is None  # it is no part of the file that could be followed
        assert list(partial.list_growing(tmp_path)) == []  # nor one that people are shown
    finally:
        segment.close()
    assert list(tmp_path.iterdir()) == [] and partial.active() == set()


def test_no_more_is_taken_than_belongs_to_it_nor_after_its_end(tmp_path):
    segment = Segment(tmp_path, ETAG, 0, 4)
    with pytest.raises(SourceError, match="more than was asked for"):
        segment.write(b"12345")
    segment.write(b"12")
    segment.end_early()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SourceError, match="nobody waits"):
        segment.write(b"34")
    segment.close()


def test_what_a_killed_process_left_is_removed_and_no_other_part_is(tmp_path):
    code = (
        "import os, sys, pathlib, tempfile\n"
        "from ipfs_accelerate_py.fetch import segment\n"
        "from ipfs_accelerate_py.store import partial\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "segment.Segment(folder, 'e' * 64, 7, 9).write(b'1')\n"
        "tempfile.mkstemp(partial.SUFFIX, partial.prefix('e' * 64), folder)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)
    own = Segment(tmp_path, ETAG, 0, 4)
    assert len(list(tmp_path.iterdir())) == 3
    remove_dead(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    own.close()
    assert len(left) == 2 and sum("range_" in name for name in left) == 1
