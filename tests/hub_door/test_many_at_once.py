"""Threads, processes, forks and Ctrl-C: none of them waits for ever, and each file comes once."""

from __future__ import annotations

import signal
import time

import pytest

from .conftest import BEGIN, WEIGHTS

pytestmark = pytest.mark.lines

THREADS = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    calls = [pool.submit(hf_hub_download, MODEL, name) for name in (WEIGHTS, "config.json") * 3]
    calls += [pool.submit(snapshot_download, MODEL) for _ in range(2)]
    sizes = [os.path.exists(call.result()) for call in calls]
say("found", lambda: sizes)
"""


def test_eight_threads_in_each_of_four_programs(machine, hub):
    programs = [machine.start(BEGIN + THREADS) for _ in range(4)]
    said = [program.communicate(timeout=120) for program in programs]

    assert [program.returncode for program in programs] == [0] * 4, said
    assert all(out.count("true") == 8 for out, _ in said)
    given = [line for line in hub.log if line["method"] == "GET" and "_blob" in line["path"]]
    assert len(given) == 1, given  # the weights left the Hub's CDN once


def test_a_child_that_is_forked_in_the_middle_loads_too(run):
    # The client's own session is made under a lock, which plain's child may find held for ever.
    found = run("""
import threading
from huggingface_hub import get_session
get_session()
side = threading.Thread(target=snapshot_download, args=(MODEL,))
side.start()
child = os.fork()
if child == 0:
    size = os.path.getsize(hf_hub_download(MODEL, WEIGHTS))
    os._exit(0 if size == 1 << 20 else 1)
say("child", lambda: os.waitpid(child, 0)[1])
side.join()
""")

    assert found["child"] == 0


def test_control_c_ends_a_download_and_it_goes_on_at_the_next(run, machine, hub):
    slow = hub.fault(match=r"^GET .*_blob", stall=300_000)
    program = machine.start(
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        + BEGIN
        + "print('begun', flush=True)\nhf_hub_download(MODEL, WEIGHTS)\n"
    )
    assert program.stdout.readline() == "begun\n"
    until = time.monotonic() + 60
    while not any("_blob" in line["path"] for line in hub.log) and time.monotonic() < until:
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=20)

    assert (program.returncode != 0, "KeyboardInterrupt" in said) == (True, True), (program.returncode, said)
    hub.faults.remove(slow)
    assert run(f'say("size", lambda: os.path.getsize(hf_hub_download(MODEL, {WEIGHTS!r})))')["size"] == 1 << 20
