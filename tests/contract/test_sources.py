"""What every source owes: the right bytes or an error in time, and nothing visible unless they are the right ones."""

import os
import time

import pytest

from ipfs_accelerate_py.errors import SourceDown, SourceError
from ipfs_accelerate_py.fetch.sources import SOURCES, FileRequest, find_class
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.verify import Mismatch

from .conftest import KINDS, MIRRORS, REPO, CacheHolder, entry_of

CONTENTS = {
    "config.json": b'{"model_type": "bert"}',
    "empty.txt": b"",
    "empty.safetensors": b"",
    "sub/folder/vocab.txt": b"one\ntwo\n",
    "name with spaces.txt": b"spaces",
    "модель/模型 ü+%23&=#?.txt": b"Unicode and what a URL would eat",
    "model.safetensors": os.urandom(2_500_000),
    ".hidden": b"\0\1\2",
    "large.safetensors": os.urandom(20 << 20),
}


@pytest.fixture
def receive(here):
    """Fetches one file from a source into the store, as retrieval does; gives the blob."""

    def receive(source, commit, path, content, repo=REPO):
        entry = entry_of(path, content)
        blob = here.store.path(layout.blob_path(repo, entry.etag))
        with here.store.receive(repo, entry) as writer:
            giver = source.fetch(FileRequest(repo, commit, path, entry, False), writer)
            writer.finish(blob)
        assert giver
        return blob

    return receive


def left(here):
    """What is left in the store's folders of blobs and files."""
    return [path for path in (here.store.root / layout.repo_folder(REPO)).rglob("*") if not path.is_dir()]


def test_each_source_of_the_table_has_a_holder():
    assert {row.kind.value for row in SOURCES} == {
        kind.partition(" ")[0] if kind in MIRRORS else kind for kind in KINDS
    }


def test_the_right_bytes(holder, receive, here):
    commit = holder.hold(CONTENTS)
    source = holder.source()
    assert isinstance(source, find_class(source.kind)) and source.label
    for path, content in CONTENTS.items():
        assert receive(source, commit, path, content).read_bytes() == content, path
    assert len(left(here)) == len({entry_of(path, content).etag for path, content in CONTENTS.items()})


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_a_dataset_and_a_space(holder, receive, kind):
    """Of the same id as a model, which is another repo."""
    repo, files = f"{kind}:{REPO}", {"README.md": kind.encode(), "data/rows.safetensors": kind.encode() * 1000}
    commit = holder.hold(files, repo=repo)
    for path, content in files.items():
        assert receive(holder.source(), commit, path, content, repo).read_bytes() == content
        with pytest.raises(SourceError):
            receive(holder.source(), commit, path, content)


def test_a_file_that_it_does_not_have(holder, receive, here):
    commit = holder.hold({"config.json": b"{}"})
    started = time.monotonic()
    for path in ("none.txt", "no/such/folder.txt", "config.json/none"):
        with pytest.raises(SourceError):
            receive(holder.source(), commit, path, b"never there")
    assert time.monotonic() - started < 10
    assert left(here) == []


def test_a_repo_that_it_does_not_have(holder, here):
    commit = holder.hold({"config.json": b"{}"})
    entry = entry_of("config.json", b"other")
    with here.store.receive("acme/other", entry) as writer, pytest.raises(SourceError):
        holder.source().fetch(FileRequest("acme/other", commit, "config.json", entry, False), writer)


CONTENT = os.urandom(300_000)
LIES = {
    "one byte flipped": CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]),
    "long": CONTENT + b"x",
    "another file": os.urandom(len(CONTENT)),
}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_wrong_bytes(holder, receive, here, name, lie):
    commit = holder.hold({name: CONTENT}, lies={name: lie})
    with pytest.raises((Mismatch, SourceError)) as caught:
        receive(holder.source(), commit, name, CONTENT)
    if len(lie) == len(CONTENT):
        assert caught.type is Mismatch
    assert left(here) == []


@pytest.mark.parametrize("lie", [CONTENT[:-1], b""], ids=["short", "nothing"])
def test_too_few_bytes(holder, receive, here, lie):
    commit = holder.hold({"config.json": CONTENT}, lies={"config.json": lie})
    with pytest.raises((Mismatch, SourceError)):
        receive(holder.source(silence=2.0), commit, "config.json", CONTENT)
    assert left(here) == []


def test_after_a_failure_the_receiver_takes_the_right_bytes(holder, here):
    commit = holder.hold({"model.safetensors": CONTENT}, lies={"model.safetensors": LIES["one byte flipped"]})
    entry = entry_of("model.safetensors", CONTENT)
    blob = here.store.path(layout.blob_path(REPO, entry.etag))
    with here.store.receive(REPO, entry) as writer:
        with pytest.raises(Mismatch):
            holder.source().fetch(FileRequest(REPO, commit, "model.safetensors", entry, False), writer)
            writer.finish(blob)
        writer.start()
        writer.write(CONTENT)
        writer.finish(blob)
    assert blob.read_bytes() == CONTENT


# huggingface_hub has its own retries; the resolver keeps a dead Hub from being asked
@pytest.mark.parametrize("running", [kind for kind in KINDS if kind != "hub"], indirect=True)
def test_nobody_there(holder, receive, here):
    commit = holder.hold({"config.json": b"{}"})
    started = time.monotonic()
    # all but other caches, which are only folders here, are left alone for a while
    with pytest.raises(SourceError if isinstance(holder, CacheHolder) else SourceDown):
        receive(holder.dead(1.0), commit, "config.json", b"{}")
    assert time.monotonic() - started < 15
    assert left(here) == []


@pytest.mark.parametrize("running", ["node"], indirect=True)
@pytest.mark.parametrize("who", ["ours", "theirs"])
def test_a_node_that_hangs_costs_little_more_than_its_budget_and_once(holder, receive, here, who):
    content = os.urandom(100)  # nobody else has it
    commit = holder.hold({"config.json": content})
    source = holder.source(silence=1.0)
    node = getattr(holder, who)
    node.pause()
    try:
        for most in (8.0, 0.9) if who == "ours" else (8.0,):
            started = time.monotonic()
            with pytest.raises(SourceError):
                receive(source, commit, "config.json", content)
            assert time.monotonic() - started < most
    finally:
        node.resume()
    assert left(here) == []


@pytest.mark.parametrize("begun", [1, 150_000, 299_999])
def test_what_another_source_began_is_continued(holder, here, begun):
    content = os.urandom(300_000)
    commit = holder.hold({"model.safetensors": content})
    entry = entry_of("model.safetensors", content)
    blob = here.store.path(layout.blob_path(REPO, entry.etag))
    with here.store.receive(REPO, entry) as writer:
        writer.begin("another source")
        writer.write(content[:begun])
        holder.source().fetch(FileRequest(REPO, commit, "model.safetensors", entry, False), writer)
        writer.finish(blob)
    assert blob.read_bytes() == content


def test_a_wrong_beginning_is_not_believed(holder, here):
    content = os.urandom(300_000)
    commit = holder.hold({"model.safetensors": content})
    entry = entry_of("model.safetensors", content)
    with here.store.receive(REPO, entry) as writer:
        writer.begin("another source")
        writer.write(b"x" * 1000)
        try:
            holder.source().fetch(FileRequest(REPO, commit, "model.safetensors", entry, False), writer)
            writer.check()
        except Mismatch:
            assert len(writer.givers) == 2  # so nobody knows who it was
        else:
            blob = here.store.path(layout.blob_path(REPO, entry.etag))
            writer.finish(blob)
            assert blob.read_bytes() == content
