"""Hostile names through every door by which names come in: nothing is ever written outside the store."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest

from ipfs_accelerate_py.errors import IPFSAccelerateError, LockFileError
from ipfs_accelerate_py.fetch.sources import FileRequest
from ipfs_accelerate_py.fetch.sources.gateway import Gateway
from ipfs_accelerate_py.fetch.sources.mirror import Mirror
from ipfs_accelerate_py.ipfs.fleet_tree import PeerTrees
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.ipfs.node_trees import NodeTrees
from ipfs_accelerate_py.resolve.lockfile import read_lock_file
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.tree import Entry, tree_from_json
from tests.fuzz.answering import AnsweringServer
from tests.fuzz.targets import PEER, respond
from tests.support.fault_server import FolderServer

REPO, COMMIT = "acme/model", "0123456789abcdef0123456789abcdef01234567"
CONTENT = b'{"a": 1}'
ENTRY = Entry(len(CONTENT), "59f0d3bb4bfc7a4fdc4e4d5f5d3a1d2e0a4ff1ba")
DEEP = "../" * 30

HOSTILE = [
    *("/tmp/evil", "//tmp/evil", "/", "~/evil/../../x", "..", "../evil", "../../evil", f"{DEEP}tmp/evil"),
    *("a/../../evil", "a/../../../../evil", "a/..", "./../evil", "a/./../../evil", "a/b/../../../evil"),
    *("....//....//evil/..", "\\evil", "..\\evil", "..\\..\\evil", "a\\..\\..\\evil", "\\\\server\\share\\evil"),
    *("C:\\evil", "C:/evil", "c:evil", "file:///tmp/evil", "evil:stream", "a\0b", "evil\0.json", "\0", "a\nb"),
    *("a\r\nb", "\x1b]0;evil\x07", "a\x7fb", "con", "CON", "nul.txt", "aux", "prn.json", "com1", "lpt9.bin"),
    *("a/con/b", "a/NUL", "evil.", "evil ", "a./evil", "a /evil", "...", "a/.../b.", "x" * 256, "a/" + "y" * 300),
    *("a/" * 600 + "evil", "ü" * 200, "", ".", "a//b", "a/", "/../evil", "\ud800evil"),
]
# Strange, and still names that a file may have: they stay where they belong.
STRANGE = [
    *("%2e%2e/%2e%2e/evil", "..%2fevil", "%00", "a%2Fb", "..;/evil", "$HOME/evil", "`id`", "$(id)", "~", "~root/evil"),
    *("-rf", "--help", "a?b", "a#b", "a&b=c", "*", "[a]", "{a,b}", "'", '"', "|", "<", ">", "a\u202egpj.exe"),
    *("\u2025/evil", "\uff0e\uff0e/evil", "\u3002\u3002/evil", ".git/hooks/post-checkout", ".htaccess"),
    *("refs/heads/main", "blobs/x", "CONfig.json"),
]
TWINS = [
    ("Vocab.txt", "vocab.txt"),
    ("caf\u00e9.txt", unicodedata.normalize("NFD", "caf\u00e9.txt")),
    ("straße.txt", "STRASSE.txt"),
    ("Sub/a.txt", "sub/b.txt"),
    ("ﬁle.txt", "file.txt"),
    ("a", "a/b"),
    ("A", "a/b"),
]


def short(value: object) -> str:
    return ascii(value)[:40]


def everything(folder: Path) -> set[str]:
    return {os.path.join(here_, name) for here_, folders, names in os.walk(folder) for name in (*folders, *names)}


@pytest.fixture(autouse=True)
def nothing_outside(tmp_path, here, monkeypatch):
    """The current folder and all around the store are as they were, and so is the folder for temporary files."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "evil").write_bytes(CONTENT)  # what a path that climbs would find
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(work))
    before = everything(tmp_path), {name for name in os.listdir("/tmp") if "evil" in name}
    yield
    store = str(here.store.root)
    inside = (store, str(tmp_path / "models"))
    new = {path for path in everything(tmp_path) - before[0] if not path.startswith(inside)}
    assert new - {str(tmp_path / "here")} == set()
    assert {name for name in os.listdir("/tmp") if "evil" in name} == before[1]
    for path in everything(here.store.root) if here.store.root.exists() else ():
        assert Path(path).resolve().is_relative_to(here.store.root.resolve())


def test_enough_are_tried():
    assert len(set(HOSTILE)) >= 50 and len(set(STRANGE)) >= 25


# -- the Hub's listing --------------------------------------------------------------------------------------------
@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: {"config.json": CONTENT, "vocab.txt": b"a\n"}})


def list_also(hub, names):
    """Lets the Hub's listing have these names too."""
    repo = hub.repos["models", REPO]
    files = repo.commits[repo.refs["main"]]["files"]
    files.update(dict.fromkeys(names, files["config.json"]))


@pytest.mark.parametrize("name", HOSTILE, ids=short)
def test_in_the_hubs_listing_one_is_left_out_and_the_rest_loads(hub, here, name, caplog):
    list_also(hub, [name])
    known = here.resolve(REPO)
    here.make_present(known)
    assert set(here.visible()) == {"config.json", "vocab.txt"}
    assert [record for record in caplog.records if record.levelname == "WARNING"]


def test_strange_ones_stay_where_they_belong(hub, here):
    list_also(hub, STRANGE)
    known = here.resolve(REPO)
    here.make_present(known, *(path for path in known.tree.files if "/" not in path))
    for path, content in here.visible().items():
        assert content == (b"a\n" if path == "vocab.txt" else CONTENT)


@pytest.mark.parametrize("twins", TWINS, ids=short)
def test_of_two_names_that_mean_one_file_the_hubs_listing_keeps_one(hub, here, twins):
    """A file system that folds case, or writes accents in one way, would show one under the other's name."""
    repo = hub.repos["models", REPO]
    files = repo.commits[repo.refs["main"]]["files"]
    first, second = files.pop("config.json"), files.pop("vocab.txt")
    files.update({twins[0]: first, twins[1]: second})
    kept = set(here.resolve(REPO).tree.files)
    if twins[0].startswith("Sub/"):
        assert len(kept) in (1, 2)  # two files of a folder that has two spellings
    else:
        assert len(kept) == 1, kept


# -- a publisher's, a lock file's ---------------------------------------------------------------------------------
def listing(names):
    rows = {name: {"size": ENTRY.size, "blob_id": ENTRY.blob_id} for name in ("config.json", *names)}
    return json.dumps({"format_version": 1, "files": rows}).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("name", HOSTILE, ids=short)
def test_a_publishers_listing_with_one_is_refused_whole(name):
    server = AnsweringServer()
    server.answer = respond(listing([name]))
    trees = PeerTrees(Node(server.url.replace("http://127.0.0.1:", "/ip4/127.0.0.1/tcp/"), 2.0), (PEER,))
    trees._roots[PEER] = (float("inf"), "/ipfs/x")
    source = NodeTrees(trees, 2.0)
    assert source.known_tree(REPO, COMMIT) is None
    server.answer = respond(listing([]))
    assert source.known_tree(REPO, COMMIT) is not None
    server.stop()


@pytest.mark.parametrize("name", HOSTILE, ids=short)
@pytest.mark.parametrize("where", ["file", "revision", "repo"])
def test_a_lock_file_with_one_is_refused_whole(name, where, here):
    files = json.loads(listing([name] if where == "file" else []))["files"]
    revisions = [name] if where == "revision" else ["main"]
    repo = name if where == "repo" else REPO
    table = {"lock_version": 1, "repos": {f"{repo}@{COMMIT}": {"revisions": revisions, "files": files}}}
    if where == "repo" and layout.is_repo_id(name):
        return  # `con` may be a repo: its folder is `models--con`
    path = here.store.root / "x.lock"
    path.parent.mkdir(parents=True)
    path.write_bytes(json.dumps(table).encode("utf-8", "surrogatepass"))
    with pytest.raises(LockFileError):
        read_lock_file(path)


@pytest.mark.parametrize("twins", [pair for pair in TWINS if "Sub" not in pair[0]], ids=short)
def test_a_publishers_listing_with_twins_is_refused(twins):
    with pytest.raises(ValueError):
        tree_from_json(COMMIT, listing(twins))


# -- what is built from a name ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", HOSTILE, ids=short)
def test_no_path_is_built_from_one(name, tmp_path, here):
    (tmp_path / "models").mkdir()
    with FolderServer(tmp_path / "models") as server:
        sources = [Gateway(server.url, lambda: (PEER,), 1.0), Mirror(server.url), Mirror(f"file://{tmp_path}/models")]
        for source in sources:
            repo = "../evil" if layout.is_repo_id(name) else name
            for repo_id, commit, path in ((REPO, COMMIT, name), (repo, COMMIT, "a"), (REPO, name, "a")):
                with here.store.receive(REPO, ENTRY) as writer, pytest.raises(IPFSAccelerateError):
                    source.fetch(FileRequest(repo_id, commit, path, ENTRY), writer)
        assert server.log == []
    for build in (layout.ref_path, layout.tree_path, layout.snapshot_path):
        with pytest.raises(IPFSAccelerateError):
            build(REPO, name)
    with pytest.raises(IPFSAccelerateError):
        here.store.write_ref(REPO, name, COMMIT)
    with pytest.raises(IPFSAccelerateError):
        here.resolve("../evil" if layout.is_repo_id(name) else name, "main")
    if name:
        with pytest.raises(IPFSAccelerateError):
            here.resolve(REPO, name)


@pytest.mark.parametrize("name", STRANGE, ids=short)
def test_a_url_means_exactly_the_name(name, tmp_path, here):
    try:
        path = layout.snapshot_path(REPO, COMMIT, name)
    except IPFSAccelerateError:
        return
    with FolderServer(tmp_path) as server:
        for source in (Gateway(server.url, lambda: (PEER,), 1.0), Mirror(server.url)):
            with here.store.receive(REPO, ENTRY) as writer, pytest.raises(IPFSAccelerateError):
                source.fetch(FileRequest(REPO, COMMIT, name, ENTRY), writer)
        for row in server.log:
            assert unquote(row["path"]).endswith(path), row["path"]
        assert server.log
