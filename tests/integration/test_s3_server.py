"""The S3 server of the tests is one: it answers its own key alone, lists, and gives ranges."""

import os
import urllib.error
import urllib.request

import pytest

from tests.support.missing import need
from tests.support.s3 import S3Server


@pytest.fixture
def server(tmp_path):
    need(S3Server)
    with S3Server(tmp_path / "s3") as running:
        running.make_bucket("models")
        yield running


def test_objects_by_s3fs(server):
    s3fs = pytest.importorskip("s3fs")
    files = s3fs.S3FileSystem(**server.storage_options, skip_instance_cache=True)
    content = os.urandom(1_000_000)
    files.pipe("models/folder/by-client.bin", content)
    laid = server.buckets / "models" / "folder" / "laid.bin"
    laid.write_bytes(content)
    assert files.find("models") == ["models/folder/by-client.bin", "models/folder/laid.bin"]
    assert files.cat("models/folder/laid.bin") == content
    assert files.cat_file("models/folder/by-client.bin", start=7, end=99) == content[7:99]
    with pytest.raises(FileNotFoundError):
        files.cat("models/none")
    stranger = s3fs.S3FileSystem(endpoint_url=server.endpoint, key="test", secret="wrong", skip_instance_cache=True)
    with pytest.raises(PermissionError):
        stranger.cat("models/folder/laid.bin")


def test_it_lets_nobody_in_without_a_key_and_ends(server):
    (server.buckets / "models" / "file").write_bytes(b"x")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(f"{server.endpoint}/models/file")
    assert caught.value.code == 403
    server.stop()
    with pytest.raises(urllib.error.URLError):
        opener.open(server.endpoint, timeout=1)
