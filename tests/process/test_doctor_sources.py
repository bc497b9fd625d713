"""doctor on gateways and mirrors: well, dead, silent, and something else than they should be."""

import time
from dataclasses import replace

import pytest
from huggingface_hub import constants

from ipfs_accelerate_py.config.settings import read_settings
from ipfs_accelerate_py.doctor import gateways, mirrors, network
from ipfs_accelerate_py.doctor.check import run
from tests.support.local_hub import LocalHub
from tests.support.small_server import serve, silence

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def settings(monkeypatch, tmp_path):
    for name in ("STORAGE_FORCE_LOCAL", "IPFS_ACCELERATE_GATEWAYS", "IPFS_ACCELERATE_MIRRORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return replace(read_settings(), timeout=5.0)


def ask_gateway(settings, *urls):
    return [row.to_dict() for row in run(gateways.checks(replace(settings, gateways=urls)))]


def test_no_gateways_is_no_failure(settings):
    (row,) = ask_gateway(settings)
    assert row["ok"] and "not configured" in row["detail"] and "IPFS_ACCELERATE_GATEWAYS" in row["hint"]


def answer_as_gateway(path, headers, honours=True):
    if not path.startswith("/ipfs/bafkq"):
        return 404, {}, b""
    if honours and (asked := headers.get("Range")):
        first, last = map(int, asked.removeprefix("bytes=").split("-"))
        total = len(gateways.CONTENT)
        return 206, {"Content-Range": f"bytes {first}-{last}/{total}"}, gateways.CONTENT[first : last + 1]
    return 200, {}, gateways.CONTENT


def test_a_gateway_of_a_node(settings, nodes):
    (node,) = nodes(1)
    (row,) = ask_gateway(settings, node.gateway)
    assert row["ok"] and "honours Range" in row["detail"], row


def test_a_gateway_without_range(settings):
    with serve(lambda path, headers: answer_as_gateway(path, headers, honours=False)) as url:
        (row,) = ask_gateway(settings, url)
    assert not row["ok"] and "Range" in row["detail"] and "proxy" in row["hint"]


def test_each_gateway_has_a_row_of_its_own(settings):
    """A good one, a dead one, a silent one, one that is none, one that wants a password, and a slow one."""

    def slow(path, headers):
        time.sleep(0.3)
        return answer_as_gateway(path, headers)

    def closed(path, headers):
        if headers.get("Authorization") != "Basic YWxpY2U6c2VjcmV0":  # alice:secret
            return 401, {}, b""
        return answer_as_gateway(path, headers)

    began = time.monotonic()
    with (
        serve(answer_as_gateway) as good,
        silence() as silent,
        serve(lambda path, headers: (200, {}, b"<!doctype html>")) as page,
        serve(closed) as private,
        serve(slow) as late,
    ):
        opened = private.replace("//", "//alice:secret@")
        urls = (good, NOBODY, silent, page, private, opened, late)
        rows = ask_gateway(replace(settings, timeout=0.2), *urls)
    assert time.monotonic() - began < 15
    assert [row["ok"] for row in rows] == [True, False, False, False, False, True, True]
    words = [
        "honours Range",
        "does not answer: Connect",
        "does not answer: ReadTimeout",
        "not an IPFS gateway",
        "password",
        "",
        "only after",
    ]
    for row, word, url in zip(rows, words, urls, strict=True):
        assert word in row["detail"] and (row["ok"] or row["hint"]), row
        assert url == opened or url in row["name"]
    assert "secret" not in str(rows) and "alice:***@" in str(rows)


def ask_mirror(settings, *urls):
    return [row.to_dict() for row in run(mirrors.checks(replace(settings, mirrors=urls)))]


def test_no_mirrors_is_no_failure(settings):
    (row,) = ask_mirror(settings)
    assert row["ok"] and "not configured" in row["detail"] and "IPFS_ACCELERATE_MIRRORS" in row["hint"]


def test_a_folder_as_a_mirror(settings, tmp_path):
    (tmp_path / "models--a--b").mkdir()
    (tmp_path / "file").touch()
    rows = ask_mirror(settings, f"file://{tmp_path}", f"file://{tmp_path}/none", f"file://{tmp_path}/file")
    assert [row["ok"] for row in rows] == [True, False, False]
    assert "1 repos" in rows[0]["detail"]
    assert "is not there" in rows[1]["detail"] and "is not a folder" in rows[2]["detail"]
    assert all("IPFS_ACCELERATE_MIRRORS" in row["hint"] for row in rows[1:])


def test_a_mirror_in_memory_is_listed_by_its_backend(settings):
    import fsspec

    fsspec.filesystem("memory").pipe("/models/models--a--b/x", b"x")
    rows = ask_mirror(settings, "memory://models", "memory://others")
    assert [row["ok"] for row in rows] == [True, False]


def test_a_scheme_that_nobody_knows(settings):
    (row,) = ask_mirror(settings, "gopher://host/models")
    assert not row["ok"] and "gopher" in row["detail"] and "file:///mnt/models" in row["hint"]


def test_a_backend_that_is_not_installed(settings):
    """Of the backends that fsspec knows, one that is not here."""
    import importlib.util

    packages = {"gs": "gcsfs", "az": "adlfs", "sftp": "paramiko", "s3": "s3fs"}
    scheme, package = next(pair for pair in packages.items() if importlib.util.find_spec(pair[1]) is None)
    (row,) = ask_mirror(settings, f"{scheme}://bucket/models")
    assert not row["ok"] and "not installed" in row["detail"], row
    assert f"pip install {package}" in row["hint"]


def test_a_web_server_as_a_mirror(settings):
    with (
        serve(lambda path, headers: (404, {}, b"")) as good,
        serve(lambda path, headers: (502, {}, b"")) as broken,
        silence() as silent,
    ):
        rows = ask_mirror(settings, good, broken, silent, NOBODY)
    assert [row["ok"] for row in rows] == [True, False, False, False], rows
    for row, word in zip(rows, ["404", "502", "does not answer", "cannot be reached"], strict=True):
        assert word in row["detail"]


def test_passwords_of_mirrors_are_never_shown(settings):
    url = "https://alice:secret@127.0.0.1:9/models?X-Amz-Signature=abcdef&token=hush"
    rows = ask_mirror(settings, url, "ftp://bob:hidden@127.0.0.1:9/models")
    for word in ("secret", "hidden", "abcdef", "hush"):
        assert word not in str(rows)
    assert not any(row["ok"] for row in rows)


def test_this_machine_only_asks_nobody(settings, monkeypatch):
    with LocalHub() as hub, serve(answer_as_gateway) as url:
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        alone = replace(settings, force_local=True, gateways=(url,), mirrors=(url,))
        rows = run([*network.checks(alone), *gateways.checks(alone), *mirrors.checks(alone)])
    assert all(row.ok for row in rows) and not hub.log
