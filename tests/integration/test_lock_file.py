"""A lock file takes precedence over every other authority: made from the Hub, it counts against it and without it."""

import json

import pytest

from ipfs_accelerate_py import operations
from ipfs_accelerate_py.errors import PublishRefused, StoreError, VerificationError
from tests.support.fault_server import FolderServer
from tests.support.in_process import write_repo

REPO = "acme/model"
FILES = {"config.json": b'{"a": 1}', "sub/vocab.txt": b"one\ntwo\n", "model.safetensors": b"weights" * 300_000}
LOAD = """
from transformers import AutoConfig
print(AutoConfig.from_pretrained("tiny/bert").model_type)
"""


@pytest.fixture
def hub(serve_repos):
    return serve_repos(dict.fromkeys((REPO, "acme/secret"), FILES))


@pytest.fixture
def lock(hub, here, tmp_path):
    """Makes a lock file with the settings of `here`; the document of --json."""

    def lock(*repos, **options):
        return operations.lock_repos(here.settings, repos, path=tmp_path / "models.lock", **options).to_dict()

    return lock


def commit_of(hub):
    return hub.repos["models", REPO].refs["main"]


def test_it_holds_hash_and_cid_of_every_file_that_is_here(lock, hub, here, tmp_path):
    done = lock(REPO)
    assert done["repos"] == [
        {"repo": REPO, "commit": commit_of(hub), "files": 3, "bytes": sum(map(len, FILES.values()))}
    ]
    table = json.loads((tmp_path / "models.lock").read_text())
    rows = table["repos"][f"{REPO}@{commit_of(hub)}"]["files"]
    assert set(rows) == set(FILES)
    assert all(len(rows[path]["sha256"]) == 64 for path in FILES)
    assert rows["config.json"]["cid"].startswith("bafkrei")
    assert not any("model.safetensors" in row["path"] and row["method"] == "GET" for row in hub.log)  # LFS: not needed
    here.make_present(here.resolve(REPO))
    lock(REPO)
    rows = json.loads((tmp_path / "models.lock").read_text())["repos"][f"{REPO}@{commit_of(hub)}"]["files"]
    assert rows["model.safetensors"]["cid"].startswith("bafybei")


def test_it_is_enough_without_hub(lock, hub, here, tmp_path):
    here.make_present(here.resolve(REPO))
    lock(REPO)
    here.point_at(None)
    here.change(home=tmp_path / "other", lock=tmp_path / "models.lock")
    here.forget()
    resolution = here.resolve(REPO)
    assert (resolution.according_to, resolution.commit) == ("lock file", commit_of(hub))
    with FolderServer(tmp_path / "here" / "store") as server:
        here.change(mirrors=(server.url,))
        here.make_present(resolution)
    assert here.visible() == FILES


def test_a_gateway_is_asked_for_its_cids(lock, hub, here, tmp_path):
    here.make_present(here.resolve(REPO))
    lock(REPO)
    rows = json.loads((tmp_path / "models.lock").read_text())["repos"][f"{REPO}@{commit_of(hub)}"]["files"]
    files = tmp_path / "files"
    write_repo(files.parent, "files", FILES)
    here.point_at(None)
    here.change(home=tmp_path / "other", lock=tmp_path / "models.lock")
    here.forget()
    with FolderServer(files, cids={row["cid"]: path for path, row in rows.items()}) as server:
        here.change(gateways=(server.url,))
        here.make_present(here.resolve(REPO))
    assert here.visible() == FILES


def test_it_beats_the_hub(lock, hub, here, tmp_path):
    lock(REPO)
    first = commit_of(hub)
    write_repo(tmp_path / "models", REPO, {"config.json": b'{"a": 2}'})
    hub.scan()
    assert commit_of(hub) != first
    here.forget()
    assert here.resolve(REPO).commit != first
    here.change(lock=tmp_path / "models.lock")
    before = len(hub.log)
    assert here.resolve(REPO).commit == first
    assert len(hub.log) == before  # nobody is asked


@pytest.mark.parametrize("path", FILES)
def test_what_it_does_not_say_is_not_loaded(lock, hub, here, tmp_path, path):
    """Not from the Hub, and not from the store, where the Hub's word put it."""
    here.make_present(here.resolve(REPO))
    lock(REPO)
    file = tmp_path / "models.lock"
    table = json.loads(file.read_text())
    row = table["repos"][f"{REPO}@{commit_of(hub)}"]["files"][path]
    for key in row.keys() & {"blob_id", "sha256", "lfs_sha256"}:
        row[key] = "0" * len(row[key])
    file.write_text(json.dumps(table))
    here.change(lock=file)
    here.forget()
    with pytest.raises(VerificationError):
        here.make_present(here.resolve(REPO), path)


def test_the_content_of_small_files_counts_too(lock, hub, here, tmp_path):
    """Their git blob id is a sha1, for which two files can be made; the lock file has their sha256."""
    lock(REPO)
    file = tmp_path / "models.lock"
    table = json.loads(file.read_text())
    table["repos"][f"{REPO}@{commit_of(hub)}"]["files"]["config.json"]["sha256"] = "0" * 64
    file.write_text(json.dumps(table))
    here.change(home=tmp_path / "other", lock=file)
    here.forget()
    with pytest.raises(VerificationError, match="0" * 64):
        here.make_present(here.resolve(REPO), "config.json")
    assert here.visible() == {}


def test_other_repos_in_the_file_stay(lock, hub, here, tmp_path):
    write_repo(tmp_path / "models", "acme/other", {"config.json": b"{}"})
    hub.scan()
    lock(REPO)
    lock("acme/other")
    table = json.loads((tmp_path / "models.lock").read_text())
    assert {key.partition("@")[0] for key in table["repos"]} == {REPO, "acme/other"}
    write_repo(tmp_path / "models", REPO, {"config.json": b'{"a": 2}'})
    hub.scan()
    here.forget()
    lock(REPO)
    table = json.loads((tmp_path / "models.lock").read_text())
    assert len(table["repos"]) == 2  # main is locked to one commit


def test_a_closed_repo_is_named_only_by_wish(lock, hub, here, tmp_path):
    hub.repos["models", REPO].meta["gated"] = "manual"
    with pytest.raises(PublishRefused) as caught:
        lock(REPO)
    assert "--closed" in caught.value.hint
    assert not (tmp_path / "models.lock").exists()


def test_without_repos_all_that_the_store_has(lock, hub, here, tmp_path):
    here.make_present(here.resolve(REPO), "config.json")
    assert [each["repo"] for each in lock()["repos"]] == [REPO]


@pytest.mark.parametrize("words", [[], ["--quiet"], ["--json"]])
def test_without_repos_the_closed_ones_are_left_out_and_named(hub, machine, words):
    user = machine("user", hub=hub)
    assert user.hook("fetch", REPO, "acme/secret").returncode == 0
    hub.repos["models", "acme/secret"].meta["gated"] = "manual"
    assert user.hook("fetch", "acme/secret").returncode == 0  # by what is here; that it is closed is noted
    made = user.hook("lock", *words)
    assert made.returncode == 0, made.stderr
    if words == ["--json"]:
        assert json.loads(made.stdout)["left_out"] == ["acme/secret"]
    else:
        assert ("acme/secret: left out" in made.stdout) is (not words)
    table = json.loads((user.home / "ipfs_accelerate.lock").read_text())
    assert [row.split("@")[0] for row in table["repos"]] == [REPO]


@pytest.mark.lines
def test_where_there_is_nothing_to_lock_a_good_file_stays(lock, hub, here, tmp_path):
    lock(REPO)
    before = (tmp_path / "models.lock").read_bytes()
    here.change(home=tmp_path / "empty")
    with pytest.raises(StoreError, match="there is nothing to lock") as caught:
        lock()
    assert (tmp_path / "models.lock").read_bytes() == before
    assert "name models" in caught.value.hint


@pytest.mark.parametrize("what", ["broken", "folder"])
def test_what_is_there_and_no_lock_file_is_left_alone(lock, hub, tmp_path, what):
    path = tmp_path / "models.lock"
    path.write_text("{") if what == "broken" else path.mkdir()
    with pytest.raises(StoreError, match="is there already, and is no lock file") as caught:
        lock(REPO)
    assert path.is_dir() or path.read_text() == "{"
    assert "move it away" in caught.value.hint


def test_a_silent_hub_is_not_a_closed_repo(lock, hub, here):
    hub.fault(status=503)
    with pytest.raises(PublishRefused, match="the Hub does not answer whether"):
        lock(REPO)


def test_of_all_models_no_revision_can_be_given(machine, tiny_hub):
    done = machine("user", hub=tiny_hub).hook("lock", "--revision", "v1")
    assert done.returncode == 2 and "--revision needs a REPO" in done.stderr


def test_a_broken_one_is_no_damaged_file(machine, tiny_hub, tmp_path):
    """3 means bytes that failed their check."""
    (tmp_path / "bad.lock").write_text("{")
    user = machine("user", hub=tiny_hub, IPFS_ACCELERATE_LOCK=str(tmp_path / "bad.lock"))
    for words in (["fetch", "tiny/bert"], ["verify"]):
        done = user.hook(*words)
        assert done.returncode == 1 and "cannot be used" in done.stderr, words


def test_a_user_loads_by_it_and_a_broken_one_stops_him(machine, tiny_hub):
    user = machine("user", hub=tiny_hub)
    made = user.hook("lock", "tiny/bert", "--output", "models.lock")
    assert made.returncode == 0, made.stderr
    requests = len(tiny_hub.log)
    done = user.run(LOAD, env={"IPFS_ACCELERATE_LOCK": "models.lock"})
    assert done.stdout == "bert\n", done.stderr
    assert len(tiny_hub.log) == requests
    (user.home / "models.lock").write_text("{}")
    broken = user.run(LOAD, env={"IPFS_ACCELERATE_LOCK": "models.lock"})
    assert broken.returncode == 1 and broken.stdout == ""
    assert "the lock file" in broken.stderr and "models.lock" in broken.stderr
    assert len(tiny_hub.log) == requests
