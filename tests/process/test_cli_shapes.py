"""What the commands print, whole: each document of --json with its keys, their order and types, and the readable text.

Programs read these documents: a change here is one that breaks them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re

import pytest

from .conftest import FILES, OTHER

SIZE = 7002
LOOSE = "a" * 64


@pytest.fixture
def commits(small_hub):
    return {name: repo.refs["main"] for (_, name), repo in small_hub.repos.items()}


def plain(machine, text):
    """Without what differs from one run to the next."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "TIME", text.replace(str(machine.home), "HOME"))
    return re.sub(r"\d{4}-\d\d-\d\d", "DAY", text)


def check(machine, words, document, text, code=0):
    """Both forms of one command that changes nothing; trailing spaces of `text` do not count."""
    done = machine.hook(*words, "--json")
    assert done.returncode == code, done.stderr
    assert plain(machine, done.stdout) == json.dumps(document, indent=2) + "\n"
    done = machine.hook(*words)
    assert done.returncode == code, done.stderr
    assert plain(machine, done.stdout) == text


def damage(machine, name="weights.bin"):
    (path,) = machine.store.glob(f"models--org--name/snapshots/*/{name}")
    path.resolve().chmod(0o644)
    path.resolve().write_bytes(path.read_bytes().upper())


def bad_row(commits, actual, **more):
    """What `verify` says of the weights."""
    row = {"repo": "org/name", "commit": commits["org/name"], "path": "weights.bin", "expected": sha256(FILES)}
    return {**row, "actual": actual, **more}


def sha256(files, change=bytes):
    return hashlib.sha256(change(files["weights.bin"])).hexdigest()


def row_of(commits, **more):
    row = {"repo": "org/name", "commit": commits["org/name"], "refs": ["main"], "size": SIZE, "files": 2}
    row |= {"complete": True, "tier": "store", "last_used": "TIME", "published": False, "disk": SIZE}
    return {**row, **more}


def test_ls(a, commits):
    text = f"""\
REPO      COMMIT        REFS  FILES  SIZE    PUBLISHED  LAST USED  WHERE
org/name  {commits["org/name"][:12]}  main  2      7.0 kB  no         TIME  store
"""
    done = a.hook("ls", "--json")
    assert plain(a, done.stdout) == json.dumps([row_of(commits)], indent=2) + "\n"
    assert re.sub(" +", " ", plain(a, a.hook("ls").stdout)) == re.sub(" +", " ", text)


def test_ls_of_what_is_not_whole_and_of_caches_below(a, commits):
    (weights,) = a.store.glob("models--org--name/snapshots/*/weights.bin")
    weights.unlink()
    tree = next(a.store.glob("models--org--name/trees/*.json"))
    below = a.home / "below"
    snapshot = below / "models--org--other" / "snapshots" / commits["org/other"]
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_bytes(OTHER["config.json"])
    a.more["IPFS_ACCELERATE_LOWER"] = str(below)
    other = row_of(commits, repo="org/other", commit=commits["org/other"], refs=[], size=2, files=1, complete=None)
    other |= {"tier": "HOME/below", "disk": 0}
    first = row_of(commits, size=2, files=1, complete=False, disk=2)
    assert plain(a, a.hook("ls", "--json").stdout) == json.dumps([first, other], indent=2) + "\n"
    assert " 1 (not all) " in a.hook("ls").stdout
    tree.unlink()
    assert json.loads(a.hook("ls", "--json").stdout)[0]["complete"] is None


def test_fetch(a, commits):
    document = {"repo": "org/other", "commit": commits["org/other"], "files": 1, "bytes": 2}
    done = a.hook("fetch", "org/other", "--json")
    assert done.stdout == json.dumps({**document, "sources": {"hub": {"files": 1, "bytes": 2}}}, indent=2) + "\n"
    text = f"org/other: commit {commits['org/other']}, 1 files, 2 B (all were here)\n"
    check(a, ["fetch", "org/other"], {**document, "sources": {}}, text)
    done = a.hook("fetch", "org/other", "org/name", "--json")
    assert [row["repo"] for row in json.loads(done.stdout)] == ["org/other", "org/name"]


def test_fetch_says_who_gave(machine, small_hub, commits):
    b = machine("b", hub=small_hub)
    done = b.hook("fetch", "org/name")
    assert done.stdout == f"org/name: commit {commits['org/name']}, 2 files, 7.0 kB (2 from hub)\n"


def test_verify(a, commits):
    check(a, ["verify"], {"ok": True, "files": 2, "bad": []}, "2 files, 0 damaged\n")
    damage(a)
    bad = bad_row(commits, sha256(FILES, bytes.upper))
    check(a, ["verify"], {"ok": False, "files": 2, "bad": [bad]}, "2 files, 1 damaged\n", code=3)
    where = f"org/name weights.bin (commit {commits['org/name'][:12]})"
    assert a.hook("verify").stderr == (
        f"Error: {where} is damaged: expected {bad['expected']}, got {bad['actual']}\n"
        "Hint: add --repair to fetch what is damaged again\n"
    )
    done = a.hook("verify", "--repair", "--json")
    assert done.stdout == json.dumps({"ok": True, "files": 2, "bad": [{**bad, "repaired": True}]}, indent=2) + "\n"
    damage(a)
    assert a.hook("verify", "--repair").stdout == f"repaired {where}\n2 files, 0 damaged\n"


def test_verify_names_what_a_cache_below_has_too_and_why_it_was_not_repaired(a, commits):
    (weights,) = a.store.glob("models--org--name/snapshots/*/weights.bin")
    below = a.home / "below"
    blobs = below / "models--org--name" / "blobs"
    blobs.mkdir(parents=True)
    os.link(weights.resolve(), blobs / weights.resolve().name)
    a.more["IPFS_ACCELERATE_LOWER"] = str(below)
    damage(a)
    bad = bad_row(commits, sha256(FILES, bytes.upper), also=f"HOME/below/models--org--name/blobs/{sha256(FILES)}")
    check(a, ["verify"], {"ok": False, "files": 2, "bad": [bad]}, "2 files, 1 damaged\n", code=3)
    a.hub = None
    done = a.hook("verify", "--repair", "--json")
    assert done.returncode == 3
    (row,) = json.loads(done.stdout)["bad"]
    assert list(row) == [*bad, "repaired", "error"] and row["repaired"] is False and isinstance(row["error"], str)
    assert done.stderr.endswith(
        "Hint: what is damaged was removed and could not be fetched now; when a source answers: "
        "python -m ipfs_accelerate_py.hook fetch org/name\n"
    )


def test_verify_of_a_blob_and_a_listing(a, commits):
    loose = a.store / "models--org--name" / "blobs" / LOOSE
    loose.write_bytes(b"loose")
    (tree,) = a.store.glob("models--org--name/trees/*.json")
    good = tree.read_bytes()
    tree.write_text("{")
    rows = json.loads(a.hook("verify", "--json").stdout)["bad"]
    keys = ("commit", "path", "expected", "actual")
    listing = (commits["org/name"], f"trees/{tree.name}", "a listing", "cannot be read")
    assert [tuple(row[key] for key in keys) for row in rows[:1]] == [listing]
    assert [(row["path"], row["expected"]) for row in rows[1:3]] == [(name, "unknown") for name in FILES]
    assert (rows[3]["commit"], rows[3]["path"], rows[3]["expected"]) == ("", f"blobs/{LOOSE}", LOOSE)
    tree.write_bytes(good)
    (weights,) = a.store.glob("models--org--name/snapshots/*/weights.bin")
    weights.resolve().unlink()
    loose.unlink()
    check(a, ["verify"], {"ok": False, "files": 2, "bad": [bad_row(commits, "missing")]}, "2 files, 1 damaged\n", 3)


def test_gc(a, commits):
    loose = a.store / "models--org--name" / "blobs" / LOOSE
    loose.write_bytes(b"loose")
    whole = {"repo": "org/name", "commit": commits["org/name"], "size": SIZE}
    blob = {"repo": "org/name", "commit": None, "size": 5, "reason": "no commit shows it"}
    blob["path"] = f"HOME/.cache/ipfs_accelerate/models--org--name/blobs/{LOOSE}"
    kept = [{**whole, "reason": "last used DAY"}]
    removed = [{**whole, "reason": "least recently used (DAY)"}, blob]
    short = commits["org/name"][:12]
    document = {"removed": removed, "kept": [], "freed": SIZE + 5, "dry_run": True}
    text = f"""\
           REPO      COMMIT        SIZE    WHY
would go  org/name  {short}  7.0 kB  least recently used (DAY)
would go  org/name                5 B     no commit shows it
7.0 kB would be freed
"""
    done = a.hook("gc", "--dry-run", "--max-size", "0B", "--json")
    assert plain(a, done.stdout) == json.dumps(document, indent=2) + "\n"
    done = a.hook("gc", "--dry-run", "--max-size", "0B")
    assert re.sub(" +", " ", plain(a, done.stdout)) == re.sub(" +", " ", text)
    done = a.hook("gc", "--json")
    document = {"removed": [blob], "kept": kept, "freed": 5, "dry_run": False}
    assert plain(a, done.stdout) == json.dumps(document, indent=2) + "\n"
    done = a.hook("gc", "--max-size", "0B", "--json")
    document = {"removed": removed[:1], "kept": [], "freed": SIZE, "dry_run": False}
    assert plain(a, done.stdout) == json.dumps(document, indent=2) + "\n"
    check(a, ["gc"], {"removed": [], "kept": [], "freed": 0, "dry_run": False}, "0 B freed\n")


def test_lock(a, commits):
    row = {"repo": "org/name", "commit": commits["org/name"], "files": 2, "bytes": SIZE}
    text = f"org/name: commit {commits['org/name']}, 2 files, 7.0 kB\nwrote HOME/models.lock\n"
    words = ["lock", "org/name", "--output", "models.lock"]
    check(a, words, {"lock": "HOME/models.lock", "repos": [row]}, text)


def test_status(a, commits):
    """The commit is known, and nobody has loaded it: that is what `vouched` speaks of."""
    done = a.hook("status", "--json")
    status = json.loads(done.stdout)
    doors, startup = status.pop("doors"), status.pop("startup")
    assert set(doors.values()) == {"not yet imported"} and list(startup) == ["enabled", "files"]
    reason = "no startup file: only programs that `run` starts, or that import ipfs_accelerate_py, are hooked"
    assert plain(a, json.dumps(status)) == json.dumps(
        {
            "enabled": False,
            "applied": False,
            "patched_classes": [],
            "should_patch": True,
            "reason": reason,
            "variable": None,
            "store": "HOME/.cache/ipfs_accelerate",
            "node": None,
            "served": {},
            "vouched": status["vouched"],
            "liars": {},
        }
    )
    assert list(json.loads(done.stdout))[-2:] == ["doors", "startup"]
    names = [line.split("  ")[0] for line in a.hook("status").stdout.splitlines()]
    assert names == [name.replace("_", " ") for name in [*status, "doors", "startup files"]]


def test_doctor(a):
    done = a.hook("doctor", "--json")
    document = json.loads(done.stdout)
    assert done.stdout == json.dumps(document, indent=2) + "\n"
    assert list(document) == ["ok", "checks"]
    for row in document["checks"]:
        assert list(row) == ["name", "ok", "detail", "hint"]
        assert [type(row[key]) for key in ("name", "ok", "detail")] == [str, bool, str]
        assert row["hint"] is None or isinstance(row["hint"], str)
