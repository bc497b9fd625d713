"""Files whose names the store does not take are not missing: they are there, and whole snapshots have them."""

from __future__ import annotations

import pytest

from .conftest import MODEL

pytestmark = pytest.mark.lines

NAMES = ("Data.txt", "data.txt", "con.txt", "ab:c.txt")
READ = """
NAMES = ("Data.txt", "data.txt", "con.txt", "ab:c.txt")
say("each", lambda: [open(hf_hub_download(MODEL, name)).read() for name in NAMES])
say("snapshot", lambda: [open(os.path.join(snapshot_download(MODEL), name)).read() for name in NAMES])
say("local_dir", lambda: [open(os.path.join(snapshot_download(MODEL, local_dir="x"), name)).read() for name in NAMES])
say("exists", lambda: [HfApi().file_exists(MODEL, name) for name in (*NAMES, "nope")])
say("listed", lambda: set(NAMES) <= set(HfApi().list_repo_files(MODEL)))
say("missing", lambda: hf_hub_download(MODEL, "nope"))
"""


@pytest.fixture
def repos(repos):
    for name in NAMES:
        (repos / MODEL / name).write_text(name)
    return repos


def test_they_are_found(run):
    run(READ)
    found = run(READ)  # with the listing that was kept

    assert [found[name] for name in ("each", "snapshot", "local_dir")] == [list(NAMES)] * 3
    assert found["exists"] == [True] * 4 + [False]
    assert found["listed"] is True
    assert "EntryNotFoundError" in found["missing"][2]


def test_plain_finds_them_afterwards(run):
    run('say("snapshot", lambda: snapshot_download(MODEL))\nsay("one", lambda: hf_hub_download(MODEL, "con.txt"))')

    assert run(READ, hooked=False)["snapshot"] == list(NAMES)


def test_what_the_store_takes_is_served_while_the_hub_is_down(run, hub):
    run(READ)
    hub.stop()

    found = run('say("one", lambda: open(hf_hub_download(MODEL, "Data.txt")).read())')

    assert found["one"] == "Data.txt"
