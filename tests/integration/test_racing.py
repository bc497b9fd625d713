"""Several sources for one file: hedged where slow, left out where dead or corrupt, continued where it broke off."""

import os
import time
from dataclasses import replace

import pytest

from ipfs_accelerate_py.errors import Unavailable, VerificationError
from ipfs_accelerate_py.fetch import health
from ipfs_accelerate_py.fetch.plan import Plan
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout, partial, visibility
from ipfs_accelerate_py.store.tree import Entry
from tests.support.fault_server import FolderServer
from tests.support.in_process import write_repo

REPO = "acme/model"
PUBLISHER = "12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq"
WEIGHTS = os.urandom(4_000_000)
FILES = {"config.json": b'{"a": 1}', "vocab.txt": b"one\ntwo\n", "model.safetensors": WEIGHTS}


@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: FILES}, lfs_threshold=1 << 20)


@pytest.fixture
def mirrors(tmp_path, hub, here):
    """Makes so many mirrors that hold REPO, and lets this machine know them: `one, two = mirrors(2)`."""
    made = []
    commit = hub.repos["models", REPO].refs["main"]

    def make(count):
        for number in range(count):
            folder = tmp_path / f"mirror{number}"
            write_repo(folder, layout.snapshot_path(REPO, commit), FILES)
            made.append(FolderServer(folder).start())
        here.change(mirrors=tuple(each.url for each in made))
        return made

    yield make
    for each in made:
        each.stop()


def asked(server, name="model.safetensors"):
    return [row for row in server.log if row["path"].endswith(name)]


def bytes_of(server, name="model.safetensors"):
    return sum(row["bytes"] for row in asked(server, name))


def weights_from_hub(hub):
    return sum(row["bytes"] for row in hub.log if row["method"] == "GET" and row["origin"] == "cdn")


def test_a_mirror_comes_before_the_hub(mirrors, hub, here):
    [mirror] = mirrors(1)
    here.make_present(here.resolve(REPO))
    assert here.visible() == FILES
    assert set(stats().served) == {"mirror"} and weights_from_hub(hub) == 0
    assert bytes_of(mirror) == len(WEIGHTS)


@pytest.mark.parametrize("fault", ["hangs", "slow drip"])
def test_a_silent_one_is_raced_and_then_left_alone(mirrors, here, fault):
    one, two = mirrors(2)
    one.set_fault(fault)
    started = time.monotonic()
    here.make_present(here.resolve(REPO), "config.json" if fault == "hangs" else "model.safetensors")
    assert time.monotonic() - started < 10
    assert asked(two, "config.json") or asked(two)
    if fault == "hangs":
        assert health.is_breaker_open(f"mirror {one.url}")
        one.log.clear()
        here.make_present(here.resolve(REPO), "vocab.txt")
        assert one.log == []


def test_a_dead_one_costs_nothing_the_second_time(mirrors, here, caplog):
    one, _two = mirrors(2)
    one.stop()
    here.make_present(here.resolve(REPO), "config.json")
    assert health.is_breaker_open(f"mirror {one.url}")
    one.start()  # it would be seen now, were it asked
    here.make_present(here.resolve(REPO), "vocab.txt")
    assert one.log == []


@pytest.mark.parametrize("fault", ["cuts", "stalls midway"])
def test_what_one_began_the_next_continues(mirrors, hub, here, fault):
    """And the Hub is one of the next."""
    [mirror] = mirrors(1)
    here.change(mirrors=(), gateways=(mirror.url,), publishers=(PUBLISHER,))
    mirror.set_fault(fault)
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert here.visible()["model.safetensors"] == WEIGHTS
    assert 0 < weights_from_hub(hub) <= len(WEIGHTS) // 2 + partial.WORTH_KEEPING
    assert stats().served["hub"] == [1, len(WEIGHTS)]


def test_a_wrong_beginning_is_found_and_nobody_is_blamed_for_it(mirrors, hub, here):
    """The first gives wrong bytes and breaks off; the second's are right, and it is asked for the whole."""
    one, two = mirrors(2)
    commit = hub.repos["models", REPO].refs["main"]
    lie = one.folder / layout.snapshot_path(REPO, commit, "model.safetensors")
    lie.write_bytes(b"x" * (len(WEIGHTS) // 2))
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert here.visible()["model.safetensors"] == WEIGHTS
    assert stats().liars == {}
    assert bytes_of(two) >= len(WEIGHTS) and weights_from_hub(hub) == 0


@pytest.mark.parametrize("fault", ["one byte flipped", "another file's bytes", "HTML error page with status 200"])
def test_one_that_lied_is_not_asked_again(mirrors, here, fault, caplog):
    one, _two = mirrors(2)
    one.set_fault(fault)
    here.make_present(here.resolve(REPO), "config.json")
    here.make_present(here.resolve(REPO), "model.safetensors", "vocab.txt")
    assert here.visible() == FILES
    lied = f"mirror {one.url}" in stats().liars
    assert lied or fault != "one byte flipped"
    assert asked(one, "vocab.txt") == [] or not lied
    assert len([each for each in caplog.records if "gave wrong bytes" in each.message]) == int(lied)


def test_only_wrong_bytes_are_an_error_that_stops_the_load(mirrors, hub, here):
    [mirror] = mirrors(1)
    mirror.set_fault("one byte flipped")
    hub.fault(match="config.json", corrupt=0)
    with pytest.raises(VerificationError, match=r"config\.json") as caught:
        here.make_present(here.resolve(REPO), "config.json")
    assert "hub" in str(caught.value) and "mirror" in str(caught.value)
    assert here.visible() == {}


def test_the_quicker_one_is_asked_first_once_both_are_known(mirrors, here):
    one, two = mirrors(2)
    health.note_success(f"mirror {one.url}", 4_000_000, 0.5, 2.0)
    health.note_success(f"mirror {two.url}", 4_000_000, 0.01, 0.05)
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert asked(one) == [] and bytes_of(two) == len(WEIGHTS)


def test_the_part_of_a_dead_process_is_continued(mirrors, here):
    [mirror] = mirrors(1)
    resolution = here.resolve(REPO)
    entry = resolution.tree.files["model.safetensors"]
    blobs = here.store.path(layout.blob_path(REPO, entry.etag)).parent
    blobs.mkdir(parents=True)
    dead = blobs / f"{partial.prefix(entry.etag).replace(str(os.getpid()), '4194305')}abcd.incomplete"
    dead.write_bytes(WEIGHTS[:3_000_000])
    here.make_present(resolution, "model.safetensors")
    assert here.visible()["model.safetensors"] == WEIGHTS
    assert bytes_of(mirror) <= 1_000_000 and not dead.exists()


def test_old_parts_go_and_young_ones_stay(mirrors, here):
    mirrors(1)
    resolution = here.resolve(REPO)
    entry = resolution.tree.files["config.json"]
    blobs = here.store.path(layout.blob_path(REPO, entry.etag)).parent
    blobs.mkdir(parents=True)
    old, young = blobs / "0123.incomplete", blobs / "4567.incomplete"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - partial.OLD - 60,) * 2)
    here.make_present(resolution, "config.json")
    assert not old.exists() and young.exists()


def test_nobody_has_it(mirrors, hub, here):
    one, two = mirrors(2)
    resolution = here.resolve(REPO)
    one.set_fault("404")
    two.set_fault("500")
    hub.fault(match="vocab.txt", status=404, code="EntryNotFound")
    with pytest.raises(Unavailable) as caught:
        here.make_present(resolution, "vocab.txt")
    assert one.url in str(caught.value) and two.url in str(caught.value) and "hub" in str(caught.value)


# -- what is told to whom ---------------------------------------------------------------------------------------------
def test_the_name_of_a_closed_repo_is_told_to_the_hub_alone(mirrors, hub, here, monkeypatch):
    [mirror] = mirrors(1)
    here.change(gateways=(mirror.url,), publishers=(PUBLISHER,))
    hub.repos["models", REPO].meta.update(gated="manual", allow=["tester"])
    here.make_present(here.resolve(REPO, token="hf_test"), token="hf_test")
    assert here.visible() == FILES
    assert mirror.log == []


def test_the_token_is_told_to_the_hub_alone(mirrors, hub, here, tmp_path, monkeypatch):
    [mirror] = mirrors(1)
    here.change(gateways=(mirror.url,), publishers=(PUBLISHER,))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    here.resolve(REPO, token=False)
    assert visibility.known_access(here.store, REPO) is True
    here.make_present(here.resolve(REPO, token="hf_test"), token="hf_test")
    assert mirror.log
    for row in mirror.log:
        assert not {name.lower() for name in row["headers"]} & {"authorization", "cookie"}, row


def test_a_gateway_that_sends_us_elsewhere_is_not_followed(mirrors, hub, here):
    [mirror] = mirrors(1)
    here.change(mirrors=(), gateways=(mirror.url,), publishers=(PUBLISHER,))
    mirror.set_fault("redirect to elsewhere")
    here.make_present(here.resolve(REPO), "config.json")
    assert stats().served["hub"][0] == 1 and stats().liars == {}


def test_while_a_repo_may_be_closed_its_name_stays_in_private_networks(mirrors, hub, here):
    """The Hub is silent, the listing is known, whether it is public is not."""
    mirrors(1)
    resolution = here.resolve(REPO, token="hf_test")
    near, far = "http://127.0.0.1:1", "http://mirror.example"
    here.change(mirrors=(near, far, "s3://bucket/models"), gateways=(near, far), publishers=("k51abc",))
    for public, expected in ((None, [near, near]), (False, []), (True, [near, far, near, far, "s3://bucket/models"])):
        known = replace(resolution, public=public)
        sources = Plan(here.store, here.settings, known, None, False, False).for_file(Entry(1, "a" * 40))
        assert [each.url for each in sources if each.kind.value in ("gateway", "mirror")] == expected
