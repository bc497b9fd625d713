"""A mirror on a web server: read as it comes and no further, by its login alone, and followed to where it leads."""

import base64
import gzip
import io
import os
import time
from dataclasses import replace

import pytest

from ipfs_accelerate_py import log
from ipfs_accelerate_py.errors import SettingsError, SourceError, Unavailable
from ipfs_accelerate_py.fetch.sources import FileRequest
from ipfs_accelerate_py.fetch.sources.mirror import Mirror
from ipfs_accelerate_py.hub import breaker
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout, partial
from tests.contract.conftest import COMMIT, REPO, entry_of, fill
from tests.support.fault_server import FolderServer
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.small_server import serve

NAME = "model.safetensors"
WEIGHTS = os.urandom(3_000_000)
FILES = {"config.json": b'{"a": 1}', NAME: WEIGHTS}
FLOOD = 200_000_000  # bytes of an answer that goes on and on


class OddServer(FolderServer):
    """A mirror whose answers `send` sends in its own way, where that is given."""

    send = None

    def begin(self, row):
        usual, changed = super().begin(row)
        return self.send or usual, changed


@pytest.fixture
def server(here, tmp_path):
    """A mirror of REPO, known to this machine; the listing is known, and the Hub is down."""
    write_repo(tmp_path / "models", REPO, FILES)
    with LocalHub(tmp_path / "models", lfs_threshold=1 << 20) as hub, OddServer(tmp_path / "mirror") as running:
        here.point_at(hub)
        commit = here.resolve(REPO).commit
        write_repo(tmp_path / "mirror", layout.snapshot_path(REPO, commit), FILES)
        here.point_at(None)
        here.forget()
        breaker.open_hub_breaker()
        here.change(mirrors=(running.url,))
        yield running


def fetch(mirror, here, path="config.json", content=FILES["config.json"]):
    """What a mirror gives, put into a store."""
    with here.store.receive(REPO, entry_of(path, content)) as writer:
        mirror.fetch(FileRequest(REPO, COMMIT, path, writer.entry), writer)
        writer.check()
        return writer.size


def part_of(answer):
    """A good answer as the part that it is not."""
    size = len(answer.body)
    return replace(answer, status=206, headers={**answer.headers, "Content-Range": f"bytes 0-{size - 1}/{size}"})


def test_a_part_without_an_end_is_not_taken_into_memory(server, here):
    def flood(connection, answer):
        connection.begin(part_of(answer), length=None)
        while connection.row["bytes"] < FLOOD:
            connection.write(bytes(1 << 20))

    server.send = flood
    with pytest.raises(Exception, match=NAME):
        here.make_present(here.resolve(REPO), NAME)
    assert server.sent < FLOOD / 4  # what is on its way in the kernel counts


def test_a_part_that_is_packed_is_refused(server, here):
    def bomb(connection, answer):
        packed = part_of(answer)
        headers = {**packed.headers, "Content-Encoding": "gzip"}
        connection.send(replace(packed, headers=headers, body=gzip.compress(bytes(64 << 20), 1)))

    server.send = bomb
    with pytest.raises(Unavailable, match="an encoding that was not asked for"):
        here.make_present(here.resolve(REPO), NAME)


def leave_part(here, size):
    """A part of the weights, of a process that is gone."""
    entry = here.resolve(REPO).tree.files[NAME]
    blobs = here.store.path(layout.blob_path(REPO, entry.etag)).parent
    blobs.mkdir(parents=True)
    dead = f"{partial.prefix(entry.etag).replace(str(os.getpid()), '4194305')}abcd.incomplete"
    (blobs / dead).write_bytes(WEIGHTS[:size])


def test_another_part_than_was_asked_for_is_not_taken_for_it(server, here):
    def send_middle(connection, answer):
        if answer.status == 206:
            size = len(WEIGHTS)
            headers = {**answer.headers, "Content-Range": f"bytes 1000-{size - 1}/{size}"}
            answer = replace(answer, headers=headers, body=WEIGHTS[1000:])
        connection.send(answer)

    leave_part(here, 2_000_000)
    server.send = send_middle
    here.make_present(here.resolve(REPO), NAME)
    assert here.visible() == {NAME: WEIGHTS} and stats().liars == {}


def test_a_part_that_is_all_is_asked_of_nobody(server, here):
    leave_part(here, len(WEIGHTS))
    here.make_present(here.resolve(REPO), NAME)
    assert here.visible() == {NAME: WEIGHTS} and server.log == []


@pytest.fixture
def other(here, tmp_path):
    """A web server with the files; says what it was asked."""
    fill(here.store, {})
    write_repo(tmp_path / "other", layout.snapshot_path(REPO, COMMIT), FILES)
    with FolderServer(tmp_path / "other") as running:
        yield running


def test_one_that_leads_to_another_host_is_followed_and_our_login_stays(other, here):
    heard = []

    def answer(path, headers):
        heard.append(headers.get("Authorization"))
        return 302, {"Location": other.url + path}, b""

    with serve(answer) as url:
        assert fetch(Mirror(url.replace("//", "//me:secret@")), here) == len(FILES["config.json"])
    assert heard == ["Basic " + base64.b64encode(b"me:secret").decode()]
    assert [row["headers"].get("Authorization") for row in other.log] == [None]


def test_one_that_leads_in_circles_is_left(here):
    heard = []
    answer = lambda path, headers: heard.append(path) or (302, {"Location": path}, b"")  # noqa: E731
    with serve(answer) as url, pytest.raises(SourceError, match="302"):
        fetch(Mirror(url), here)
    assert len(heard) < 20


def test_one_from_afar_is_asked_through_the_proxy_and_leads_nobody_into_our_network(other, here, monkeypatch):
    heard = []

    def proxy(path, headers):
        heard.append(path)
        return 302, {"Location": f"{other.url}/x"}, b""

    with serve(proxy) as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(SourceError, match="it redirects to another host"):
            fetch(Mirror("http://mirror.example/models"), here)
        assert fetch(Mirror(other.url), here)  # near: by no proxy
    assert [path.partition("/models--")[0] for path in heard] == ["http://mirror.example/models"]
    assert len(other.log) == 1


def test_no_url(here):
    for url in ("http://[::1", "https:///models", "http://host:port"):
        with pytest.raises(SettingsError, match="IPFS_ACCELERATE_MIRRORS"):
            fetch(Mirror(url), here)


# -- one that is slow --------------------------------------------------------------------------------------------------
RATE = 140_000  # bytes a second: twice what is slow, and less than a block of a few hundred kB in the time budget


class SlowServer(OddServer):
    def send(self, connection, answer):
        connection.begin(answer)
        began = time.monotonic()
        while left := answer.body[connection.row["bytes"] :]:
            due = int((time.monotonic() - began) * RATE) - connection.row["bytes"]
            connection.write(left[: max(due, 0)])
            time.sleep(0.02)


@pytest.fixture
def slow_hub(here, tmp_path):
    content = os.urandom(4 * RATE)
    write_repo(tmp_path / "models", REPO, {NAME: content})
    with LocalHub(tmp_path / "models", lfs_threshold=1 << 10) as hub:
        here.point_at(hub)
        commit = here.resolve(REPO).commit
        write_repo(tmp_path / "slow", layout.snapshot_path(REPO, commit), {NAME: content})
        hub.log.clear()
        yield hub


def check_that_it_was_waited_for(here, hub, caplog):
    here.make_present(here.resolve(REPO), NAME)
    assert [row["path"] for row in hub.log if row["method"] == "GET" and "/api/" not in row["path"]] == []
    ours = [record for record in caplog.records if record.name == log.NAME]
    assert [record.getMessage() for record in ours if record.levelname == "WARNING"] == []


@pytest.mark.parametrize("kind", ["mirrors", "gateways"])
def test_a_web_server_that_is_slow_and_steady_is_not_called_silent(here, tmp_path, slow_hub, caplog, kind):
    with SlowServer(tmp_path / "slow") as server:
        here.change(**{kind: (server.url,)}, publishers=("12D3KooW" + "a" * 44,), timeout=1.5)
        check_that_it_was_waited_for(here, slow_hub, caplog)


def test_nor_is_another_backend(here, tmp_path, slow_hub, caplog):
    import fsspec

    class SlowFile(io.FileIO):
        def read(self, size=-1):
            found = super().read(size)
            time.sleep(len(found) / RATE)
            return found

    class SlowFiles(fsspec.AbstractFileSystem):
        protocol = "slow"

        def _open(self, path, mode="rb", **options):
            return SlowFile(tmp_path / path)

    fsspec.register_implementation("slow", SlowFiles, clobber=True)
    here.change(mirrors=("slow://slow",), timeout=1.5)
    check_that_it_was_waited_for(here, slow_hub, caplog)
    assert stats().served["mirror"][0] == 1


def test_a_fast_backend_is_asked_in_large_steps(here):
    import fsspec

    content = os.urandom(24 << 20)
    files = fsspec.filesystem("memory")
    files.pipe(f"/web-mirrors/{layout.snapshot_path(REPO, COMMIT, NAME)}", content)
    fill(here.store, {})
    steps = []

    class Counting(Mirror):
        def _read(self, file):
            steps.append(super()._read(file))
            return steps[-1]

    try:
        assert fetch(Counting("memory://web-mirrors"), here, NAME, content) == len(content)
    finally:
        files.rm("/web-mirrors", recursive=True)
    assert len(steps) < 20 and len(steps[0]) == 1 << 16
