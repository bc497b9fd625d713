"""A gateway or mirror that was named and is not there: said once, left alone, and the rest goes on without it."""

import contextlib

import pytest

from ipfs_accelerate_py.storage import health
from tests.support.in_process import NOBODY, write_repo
from tests.support.local_hub import LocalHub
from tests.support.s3 import S3Server
from tests.support.small_server import serve, silence

REPO = "acme/model"
PUBLISHER = "12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq"
FILES = {f"file{number}.json": b"{%d: 1}" % number for number in range(3)}


@pytest.fixture
def hub(tmp_path, here):
    write_repo(tmp_path / "models", REPO, FILES)
    with LocalHub(tmp_path / "models") as running:
        here.point_at(running)
        yield running


def check(here, caplog, label, words):
    """Everything loads one by one; one warning names the source and what is wrong with it."""
    known = here.resolve(REPO)
    for path, content in FILES.items():
        assert here.make_present(known, path)[path].read_bytes() == content
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1 and label in said[0] and words in said[0] and "going on without it" in said[0], said
    assert health.is_resting(label)


@contextlib.contextmanager
def answering(status):
    with serve(lambda path, headers: (status, {"Retry-After": "60"}, b"")) as url:
        yield url


PLACES = {
    "nobody": (lambda: contextlib.nullcontext(NOBODY), "it does not answer: C"),
    "nobody of that name": (lambda: contextlib.nullcontext("http://nobody.invalid"), "it does not answer: C"),
    "silent": (silence, "silent for 1 s"),
    "503": (lambda: answering(503), "it answered 503"),
    "429": (lambda: answering(429), "it answered 429"),
}


@pytest.mark.parametrize("kind", ["gateway", "mirror"])
@pytest.mark.parametrize("place", PLACES)
def test_a_web_address(hub, here, caplog, kind, place):
    make, words = PLACES[place]
    with make() as url:
        here.change(**{f"{kind}s": (url,)}, publishers=(PUBLISHER,), timeout=1.0 if place == "silent" else 20.0)
        check(here, caplog, f"{kind} {url}", words)


def test_a_folder(hub, here, caplog, tmp_path):
    url = f"file://{tmp_path}/not/mounted"
    here.change(mirrors=(url,))
    check(here, caplog, f"mirror {url}", f"there is no folder {tmp_path}/not/mounted; see whether the disk is mounted")


def test_an_empty_folder_is_a_mirror_like_any_other(hub, here, caplog, tmp_path):
    here.change(mirrors=(f"file://{tmp_path}",))
    assert set(here.make_present(here.resolve(REPO))) == set(FILES)
    assert not health.is_resting(f"mirror file://{tmp_path}")
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize("wrong", ["endpoint", "bucket"])
def test_a_bucket(hub, here, caplog, tmp_path, monkeypatch, wrong):
    import s3fs

    with S3Server(tmp_path / "s3") as server:
        s3fs.S3FileSystem.clear_instance_cache()  # fsspec keeps one that other tests have pointed elsewhere
        server.make_bucket("models")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        if wrong == "endpoint":
            monkeypatch.setenv("AWS_ENDPOINT_URL", NOBODY)
        bucket = "none" if wrong == "bucket" else "models"
        here.change(mirrors=(f"s3://{bucket}/below",), timeout=20.0)
        words = {"endpoint": "it does not answer: ", "bucket": "it answered NoSuchBucket"}
        check(here, caplog, f"mirror s3://{bucket}/below", words[wrong])
