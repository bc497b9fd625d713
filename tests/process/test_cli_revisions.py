"""A model with its revision, as people write it: `org/name@revision`."""

from __future__ import annotations

import json

import pytest

from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

OLD, NEW = b'{"a": 1}', b'{"a": 2}'


@pytest.fixture(scope="module")
def two_commits(tmp_path_factory):
    """A Hub with a repo whose tag v1.0 and branch fix/a@b are one commit behind main."""
    folder = tmp_path_factory.mktemp("hub")
    write_repo(folder, "org/name", {"config.json": OLD})
    with LocalHub(folder) as hub:
        repo = hub.repos["models", "org/name"]
        repo.tags["v1.0"] = repo.refs["fix/a@b"] = repo.refs["main"]
        write_repo(folder, "org/name", {"config.json": NEW})
        hub.scan()
        yield hub


@pytest.fixture
def a(machine, two_commits):
    return machine("a", hub=two_commits)


@pytest.fixture
def commits(two_commits):
    """The commit of v1.0, and that of main."""
    repo = two_commits.repos["models", "org/name"]
    return repo.tags["v1.0"], repo.refs["main"]


def read(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(done, code, *words):
    assert (done.returncode, done.stdout) == (code, "")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["Error", "Hint"], done.stderr
    return all(word in done.stderr for word in words)


def test_fetch(a, commits):
    (a.home / "org").mkdir()
    (a.home / "org" / "name@v1.0").write_text("a file of that name")
    tag, branch, commit, main = read(
        a.hook("fetch", "org/name@v1.0", "org/name@fix/a@b", f"org/name@{commits[0]}", "org/name", "--json")
    )
    assert [row["commit"] for row in (tag, branch, commit, main)] == [*commits[:1] * 3, commits[1]]
    assert {row["repo"] for row in (tag, branch, commit, main)} == {"org/name"}
    assert (a.home / "org" / "name@v1.0").read_text() == "a file of that name"
    assert not list(a.store.glob("*@*")), "the revision is no part of the repo's name"


def test_the_option_is_for_repos_that_name_none(a, commits):
    assert [
        row["commit"] for row in read(a.hook("fetch", "org/name@v1.0", "org/name", "--revision", "v1.0", "--json"))
    ] == [commits[0]] * 2


@pytest.mark.parametrize("verb", ["fetch", "publish", "lock"])
def test_two_different_revisions_make_no_sense(a, verb):
    done = a.hook(verb, "org/name@v1.0", "--revision", "main")
    assert refused(done, 2, "org/name@v1.0", "--revision main", "leave one out"), done.stderr


@pytest.mark.parametrize("verb", ["fetch", "publish", "lock", "verify"])
def test_no_revision_after_the_sign(a, verb):
    assert refused(a.hook(verb, "org/name@"), 2, "'org/name@' names no revision", f"{verb} --help")


def test_an_unknown_revision(a):
    assert refused(a.hook("fetch", "org/name@v9"), 1, "org/name has no revision 'v9'", "a branch, a tag or a commit")


@pytest.mark.parametrize("name", ["../../evil", "../../evil@main", "@v1.0"])
def test_no_repo_id_says_how_one_looks(a, name):
    assert refused(a.hook("fetch", name), 1, "is not a repo id", "such as org/name")


def test_lock(a, commits):
    done = a.hook("lock", "org/name@v1.0", "--output", "models.lock", "--json")
    assert [row["commit"] for row in read(done)["repos"]] == [commits[0]]
    (locked,) = json.loads((a.home / "models.lock").read_text())["repos"].items()
    assert locked[0] == f"org/name@{commits[0]}" and locked[1]["revisions"] == ["v1.0"]


def test_verify_looks_at_that_commit_alone(a, commits):
    assert a.hook("fetch", "org/name", "org/name@v1.0").returncode == 0
    (path,) = a.store.glob(f"models--org--name/snapshots/{commits[1]}/config.json")
    blob = path.resolve()
    blob.chmod(0o644)
    blob.write_bytes(b'{"a": 3}')
    for name in ("org/name@v1.0", f"org/name@{commits[0]}"):
        assert read(a.hook("verify", name, "--json"))["files"] == 1
    for name in ("org/name@main", f"org/name@{commits[1]}", "org/name"):
        assert a.hook("verify", name).returncode == 3, name
    assert a.hook("verify", "org/name@v1.0", "org/name").returncode == 3
    assert refused(a.hook("verify", "org/name@v9"), 1, "has nothing of org/name@v9", "'ls' shows what is here")
