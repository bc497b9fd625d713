"""A gateway or mirror that was named and is not there, or not for us: said once, and the rest goes on without it."""

import contextlib
from pathlib import Path

import pytest

from ipfs_accelerate_py import state
from ipfs_accelerate_py.fetch import health
from ipfs_accelerate_py.log import NAME
from ipfs_accelerate_py.resolve.lockfile import LockFile
from tests.support.fault_server import FolderServer
from tests.support.fault_server.server import certificate
from tests.support.in_process import NOBODY, write_repo
from tests.support.s3 import S3Server
from tests.support.small_server import serve, silence

REPO = "acme/model"
PUBLISHER = "12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq"
CERTIFICATES = Path(__file__).resolve().parents[2] / ".pytest_cache" / "tls"
FILES = {f"file{number}.json": b"{%d: 1}" % number for number in range(3)}


@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: FILES})


def check(here, caplog, label, words):
    """Everything loads one by one; one warning names the source and what is wrong with it."""
    known = here.resolve(REPO)
    for path, content in FILES.items():
        assert here.make_present(known, path)[path].read_bytes() == content
    said = warnings(caplog)
    assert len(said) == 1 and label in said[0] and words in said[0] and "going on without it" in said[0], said
    assert health.is_breaker_open(label)


def warnings(caplog):
    """Ours: a client's thread that another test has left may still speak."""
    ours = [record for record in caplog.records if record.name == NAME]
    return [record.getMessage() for record in ours if record.levelname == "WARNING"]


@contextlib.contextmanager
def answering(status, body=b""):
    with serve(lambda path, headers: (status, {"Retry-After": "60"}, body)) as url:
        yield url


LOGIN = "; give the right name and password in its URL: https://NAME:PASSWORD@HOST; "


PLACES = {
    "nobody": (lambda: contextlib.nullcontext(NOBODY), "it does not answer: C"),
    "nobody of that name": (lambda: contextlib.nullcontext("http://nobody.invalid"), "it does not answer: C"),
    "silent": (silence, "silent for 1 s"),
    "503": (lambda: answering(503), "it answered 503"),
    "429": (lambda: answering(429), "it answered 429"),
    "401": (lambda: answering(401), f"it answered 401{LOGIN}"),
    "403": (lambda: answering(403), f"it answered 403{LOGIN}"),
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
    assert not health.is_breaker_open(f"mirror file://{tmp_path}")
    assert warnings(caplog) == []


NOT_LISTED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.mark.parametrize("kind", ["gateway", "mirror"])
def test_a_file_that_storage_does_not_have_is_no_refused_login(hub, here, caplog, kind):
    """S3 says 403 of it to whoever may not list the bucket."""
    with answering(403, NOT_LISTED) as url:
        here.change(**{f"{kind}s": (url,)}, publishers=(PUBLISHER,), timeout=20.0)
        assert set(here.make_present(here.resolve(REPO))) == set(FILES)
    assert not health.is_breaker_open(f"{kind} {url}") and warnings(caplog) == []


KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or FSSPEC_S3_ANON=true"
BUCKETS = {
    "endpoint": ({"AWS_ENDPOINT_URL": NOBODY}, "it does not answer: "),
    "bucket": ({}, "it answered NoSuchBucket"),
    "secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, f"it refused the login: SignatureDoesNotMatch; {KEYS}"),
    "key": ({"AWS_ACCESS_KEY_ID": "nobody"}, f"it refused the login: XAdminUserNotFound; {KEYS}"),
    "no key": (dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")), f"NoCredentialsError; {KEYS}"),
}


@pytest.mark.parametrize("wrong", BUCKETS)
def test_a_bucket(hub, here, caplog, tmp_path, monkeypatch, wrong):
    import s3fs

    with S3Server(tmp_path / "s3") as server:
        s3fs.S3FileSystem.clear_instance_cache()  # fsspec keeps one that other tests have pointed elsewhere
        server.make_bucket("models")
        monkeypatch.setenv("HOME", str(tmp_path))  # a login in ~/.aws is another's
        changed, words = BUCKETS[wrong]
        for name, value in {**server.environment, **changed}.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        bucket = "none" if wrong == "bucket" else "models"
        here.change(mirrors=(f"s3://{bucket}/below",), timeout=20.0)
        check(here, caplog, f"mirror s3://{bucket}/below", words)


# -- settings that do nothing ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("publishers", [(), ("swarm",)])
def test_gateways_without_anybody_to_ask_for(hub, here, caplog, publishers):
    here.change(gateways=(NOBODY,), publishers=publishers)
    known = here.resolve(REPO)
    for path in FILES:
        here.make_present(known, path)
    [said] = warnings(caplog)
    assert "IPFS_ACCELERATE_GATEWAYS is of no use alone" in said and "IPFS_ACCELERATE_PUBLISHERS" in said


@pytest.mark.parametrize("given", ["publisher", "node", "lock"])
def test_gateways_with_somebody_to_ask_for(hub, here, caplog, tmp_path, given):
    lock = tmp_path / "lock"
    lock.write_bytes(LockFile({}).to_json())
    ways = {"publisher": {"publishers": (PUBLISHER,)}, "node": {"node": "/ip4/127.0.0.1/tcp/9"}, "lock": {"lock": lock}}
    with answering(404) as url:
        here.change(gateways=(url,), **ways[given])
        known = here.resolve(REPO)
        here.make_present(known)
    assert [each for each in warnings(caplog) if "GATEWAYS" in each] == []


@pytest.mark.parametrize("given", [True, False])
def test_a_cache_that_is_not_there_is_told_if_the_user_has_named_it(hub, here, caplog, tmp_path, monkeypatch, given):
    nowhere = tmp_path / "no" / "cache"
    if given:
        monkeypatch.setenv("IPFS_ACCELERATE_LOWER", str(nowhere))
    here.change(lower=(tmp_path, nowhere))
    known = here.resolve(REPO)
    for path in FILES:
        here.make_present(known, path)
    expected = f"IPFS_ACCELERATE_LOWER: there is no folder {nowhere}; going on without it"
    assert warnings(caplog) == ([expected] if given else [])


# -- an authority of one's own -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["gateway", "mirror"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", None])
def test_certificates(hub, here, caplog, tmp_path, monkeypatch, kind, variable):
    """What the variables name that requests and httpx read is believed, near as well as far."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    known = here.resolve(REPO)
    write_repo(tmp_path / "mirror", f"models--acme--model/snapshots/{known.commit}", FILES)
    with FolderServer(tmp_path / "mirror") as server:
        server.set_fault("TLS failure")  # its certificate is one that nobody knows
        if variable:
            monkeypatch.setenv(variable, certificate(CERTIFICATES)[0])
        here.change(**{f"{kind}s": (server.url,)}, publishers=(PUBLISHER,), timeout=20.0)
        here.make_present(known)
        assert here.visible() == FILES
        assert [set(state.served)] == [{kind} if variable else {"hub"}]
        assert len(warnings(caplog)) == (0 if variable else 1)
