"""--json: exactly one document on stdout, bytes as integers, times in ISO 8601; and what -q leaves."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from .conftest import FILES

SIZE = sum(map(len, FILES.values()))


def read(done, code=0):
    """The one document, with nothing else said."""
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def is_time(text):
    return datetime.fromisoformat(text).utcoffset() == timedelta(0)


VERBS = {
    "status": ["status"],
    "env": ["env"],
    "config": ["config"],
    "ls": ["ls"],
    "fetch": ["fetch", "org/name"],
    "verify": ["verify"],
    "lock": ["lock", "org/name"],
    "gc": ["gc", "--dry-run"],
    "completion": ["completion", "bash"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_one_document(a, verb):
    done = a.hook(*VERBS[verb], "--json")
    read(done)
    assert done.stderr == "" and done.stdout.endswith("\n")
    assert not any(ord(char) < 32 and char != "\n" for char in done.stdout)


@pytest.mark.parametrize("verb", VERBS)
def test_quiet_says_nothing_when_all_is_well(a, verb):
    done = a.hook(*VERBS[verb], "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert verb == "completion" or done.stdout == ""


@pytest.mark.parametrize("verb", VERBS)
def test_words_for_people(a, verb):
    done = a.hook(*VERBS[verb])
    assert (done.returncode, done.stderr) == (0, "") and done.stdout
    assert not any(ord(char) < 32 and char != "\n" for char in done.stdout)


def test_ls(a, small_hub):
    (row,) = read(a.hook("ls", "--json"))
    assert row["repo"] == "org/name" and row["refs"] == ["main"] and row["files"] == 2
    assert row["size"] == SIZE and row["published"] is False and row["tier"] == "store"
    assert is_time(row["last_used"])
    text = a.hook("ls").stdout.splitlines()
    assert text[0].split()[:2] == ["REPO", "COMMIT"] and text[1].startswith(f"org/name  {row['commit'][:12]}  main")
    assert "7.0 kB" in text[1]


def test_ls_of_nothing(machine):
    a = machine("b")
    assert read(a.hook("ls", "--json")) == []
    assert a.hook("ls").stdout == f"no models in {a.store}\n"


def test_fetch_of_one_and_of_two(a):
    one = read(a.hook("fetch", "org/other", "--json"))
    assert one["repo"] == "org/other" and one["bytes"] == 2 and one["sources"] == {"hub": {"files": 1, "bytes": 2}}
    two = read(a.hook("fetch", "org/name", "org/other", "--json"))
    assert [row["repo"] for row in two] == ["org/name", "org/other"] and two[0]["bytes"] == SIZE


def damage(a):
    (path,) = a.store.glob("models--org--name/snapshots/*/weights.bin")
    blob = path.resolve()
    blob.chmod(0o644)
    blob.write_bytes(b"WEIGHTS" * 1000)


def test_verify(a):
    result = read(a.hook("verify", "--json"))
    assert (result["ok"], result["files"], result["bad"]) == (True, 2, [])
    damage(a)
    done = a.hook("verify", "--json")
    (bad,) = read(done, code=3)["bad"]
    assert (bad["repo"], bad["path"]) == ("org/name", "weights.bin") and bad["expected"] != bad["actual"]
    assert done.stderr.startswith("Error: org/name weights.bin ") and "--repair" in done.stderr
    assert a.hook("verify", "org/name").returncode == 3


def test_verify_repairs(a):
    damage(a)
    done = a.hook("verify", "org/name", "--repair")
    assert done.returncode == 0, done.stderr
    assert "repaired org/name weights.bin" in done.stdout
    assert a.hook("verify").returncode == 0


def test_gc(a):
    dry = read(a.hook("gc", "--dry-run", "--max-size", "0B", "--json"))
    assert dry["dry_run"] is True and [row["repo"] for row in dry["removed"]] == ["org/name"]
    assert isinstance(dry["freed"], int) and dry["freed"] >= SIZE and dry["removed"][0]["reason"]
    assert "would go" in a.hook("gc", "--dry-run", "--max-size", "0B").stdout
    assert read(a.hook("ls", "--json"))
    kept = read(a.hook("gc", "--older-than", "1w", "--json"))
    assert kept["removed"] == [] and [row["repo"] for row in kept["kept"]] == ["org/name"]
    done = a.hook("gc", "--max-size", "0B")
    assert "removed" in done.stdout and "freed" in done.stdout
    assert read(a.hook("ls", "--json")) == []


def test_lock(a):
    result = read(a.hook("lock", "org/name", "--output", "models.lock", "--json"))
    assert result["lock"] == str(a.home / "models.lock") or result["lock"] == "models.lock"
    (row,) = result["repos"]
    assert row["repo"] == "org/name" and (row["files"], row["bytes"]) == (2, SIZE)
    assert (a.home / "models.lock").is_file()
    assert "wrote" in a.hook("lock").stdout and (a.home / "ipfs_accelerate.lock").is_file()


def test_doctor(a):
    done = a.hook("doctor", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == (0 if result["ok"] else 1) and done.stderr == ""
    assert all(row.keys() == {"name", "ok", "detail", "hint"} for row in result["checks"])


def test_doctor_quietly(a):
    done = a.hook("doctor", "-q", env={"IPFS_ACCELERATE_TIMEOUT": "soon"})
    assert done.returncode == 1 and done.stdout == ""
    assert "Error: " in done.stderr and "Hint: " in done.stderr


def test_enable_and_disable(environment):
    done = environment.hook("enable", "--json")
    written = read(done)
    assert written["enabled"] is True and written["files"] and done.stderr == ""
    removed = read(environment.hook("disable", "--json"))
    assert removed["removed"] == written["files"] and removed["foreign"] == []
    assert read(environment.hook("disable", "--json"))["removed"] == []
