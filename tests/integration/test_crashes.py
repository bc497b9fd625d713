"""Writers that are killed at random moments, and many at once on one store. `make crashes` runs the long form."""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

from .crash_child import REPO, check_visible, context, fetch, make_files

KILLS = int(os.environ.get("CRASHES") or 12)
PATIENCE = 60.0


@pytest.fixture
def hub(tmp_path):
    write_repo(tmp_path / "models", REPO, make_files(0))
    with LocalHub(tmp_path / "models", lfs_threshold=1 << 20, bandwidth=12_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def children():
    return context()


def run_to_the_end(children, count, *arguments):
    started = [children.Process(target=fetch, args=tuple(map(str, arguments))) for _ in range(count)]
    for each in started:
        each.start()
    for each in started:
        each.join(PATIENCE)
        assert each.exitcode == 0
    return started


@pytest.mark.timeout(60 + 6 * KILLS)
def test_killed_at_random_moments(children, hub, tmp_path, capfd):
    files = make_files(0)
    run_to_the_end(children, 1, tmp_path / "first", hub.endpoint)  # starts the server that the others are forked from
    began = time.monotonic()
    run_to_the_end(children, 1, tmp_path / "second", hub.endpoint)
    whole = time.monotonic() - began
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    chance = random.Random(seed)
    killed = half = 0
    for number in range(KILLS * 3):
        store = tmp_path / f"store{number}"
        child = children.Process(target=fetch, args=(str(store), hub.endpoint))
        child.start()
        time.sleep(chance.uniform(0, whole * 1.1))
        child.kill()
        child.join(PATIENCE)
        killed += child.exitcode == -9
        there = check_visible(store, files)
        half += 0 < there < len(files)
        whole *= 0.8 if there == len(files) else 1.2 if there == 0 else 1.0  # the machine may be busier by now
        run_to_the_end(children, 1, store, hub.endpoint)
        assert check_visible(store, files) == len(files), f"seed {seed}, round {number}"
        if killed >= KILLS and half:
            break
    with capfd.disabled():
        seen = f"{killed} killed (seed {seed}), {half} with a part of the files visible"
        print(f"\n{seen}; each next run completed")
    assert killed >= KILLS and half


def test_sixteen_processes_at_once_are_one_copy_from_the_hub(children, hub, tmp_path):
    files = make_files(0)
    run_to_the_end(children, 16, tmp_path / "store", hub.endpoint)
    assert check_visible(tmp_path / "store", files) == len(files)
    sent = sum(row["bytes"] for row in hub.log if "/api/" not in row["path"])
    assert sum(map(len, files.values())) <= sent <= 1.1 * sum(map(len, files.values()))


def test_eight_of_sixteen_are_killed_and_the_others_go_on(children, hub, tmp_path):
    files = make_files(0)
    store = tmp_path / "store"
    started = [children.Process(target=fetch, args=(str(store), hub.endpoint)) for _ in range(16)]
    for each in started:
        each.start()
    for each in started[::2]:
        time.sleep(random.uniform(0, 0.1))
        each.kill()
    for each in started:
        each.join(PATIENCE)
    assert [each.exitcode for each in started[1::2]] == [0] * 8
    assert check_visible(store, files) == len(files)


def test_a_branch_that_moves_meanwhile(children, hub, tmp_path):
    """Some children see it before and some after: each one's files are those of its own commit."""
    commits = {}
    for seed in (0, 1):
        write_repo(tmp_path / "models", REPO, make_files(seed, 900_000))  # the Hub keeps older commits of small files
        hub.scan()
        commits[hub.repos["models", REPO].refs["main"]] = make_files(seed, 900_000)
    before, after = commits
    hub.repos["models", REPO].refs["main"] = before
    started = []
    for number in range(8):
        if number == 4:
            end = time.monotonic() + PATIENCE
            while not [row for row in hub.log if row["bytes"] > 100_000] and time.monotonic() < end:
                time.sleep(0.01)  # until one of them has its commit and is at work
            hub.repos["models", REPO].refs["main"] = after
        started.append(children.Process(target=fetch, args=(str(tmp_path / "store"), hub.endpoint)))
        started[-1].start()
    for each in started:
        each.join(PATIENCE)
        assert each.exitcode == 0
    for commit in (before, after):
        found = tmp_path / "store" / "models--acme--model" / "snapshots" / commit
        visible = {path.relative_to(found).as_posix(): path.read_bytes() for path in found.rglob("*") if path.is_file()}
        assert visible.keys() == commits[commit].keys()
        assert [path for path in visible if visible[path] != commits[commit][path]] == []
