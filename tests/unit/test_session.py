"""What a process remembers: each part once, nothing without bound, nothing that a forked child could wait for."""

import os
import threading

import pytest

from ipfs_accelerate_py.resolve.resolver import Resolutions
from ipfs_accelerate_py.session import Recent, Session, session


class Part:
    def __init__(self):
        self.seen = []


def test_a_part_is_made_once_and_forgotten_by_a_reset():
    memory = Session()
    memory.part(Part).seen.append(1)
    assert memory.part(Part).seen == [1]
    memory.reset()
    assert memory.part(Part).seen == []


def test_above_its_size_a_table_forgets_the_oldest():
    table = Recent(3)
    for number in range(5):
        table[number] = str(number)
    assert table.setdefault(7, "seven") == "seven" and table.setdefault(7, "other") == "seven"
    assert table == {3: "3", 4: "4", 7: "seven"}


def test_threads_that_write_at_once_stay_within_the_size():
    table = Recent(50)
    threads = [
        threading.Thread(target=lambda at=at: [table.__setitem__(at + step, step) for step in range(5000)])
        for at in (0, 2500, 5000)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    table["last"] = 0
    assert len(table) <= 51


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_child_has_none_of_the_parents_locks():
    locks = session.part(Resolutions).locks
    with locks.setdefault(("held",), threading.Lock()):
        child = os.fork()
        if child == 0:
            os._exit(0 if not session.part(Resolutions).locks else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert ("held",) in locks
    session.reset()
