"""Files made present: from where, how often the Hub is asked, and what happens when bytes are wrong."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipfs_accelerate_py import state
from ipfs_accelerate_py.errors import StoreError, Unavailable, VerificationError

pytestmark = pytest.mark.lines
REPO = "acme/model"
FILES = {
    "config.json": b'{"a": 1}',
    "sub/vocab.txt": b"a b c\n",
    "empty.txt": b"",
    "model.safetensors": bytes(range(256)) * 4000,
}
WEIGHTS = r"GET .*(_blob|model\.safetensors)"


@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: FILES})


@pytest.fixture
def known(hub, here):
    """The resolution, with nothing present yet and an empty log of requests."""
    found = here.resolve(REPO)
    hub.log.clear()
    return found


def contents(present):
    return {path: where.read_bytes() for path, where in present.items()}


def sent(hub, path):
    """How often the Hub has sent the bytes of a file."""
    return len([row for row in hub.log if row["method"] == "GET" and row["path"].split("?")[0].endswith(path)])


def test_all_files_from_the_hub(known, here):
    assert contents(here.make_present(known)) == FILES
    assert here.visible() == FILES
    assert here.blobs() == sorted(entry.etag for entry in known.tree.files.values())
    assert state.served["hub"] == [len(FILES), sum(map(len, FILES.values()))]


def test_only_what_was_asked_for(known, here):
    assert contents(here.make_present(known, "config.json", "config.json")) == {"config.json": FILES["config.json"]}
    assert set(here.visible()) == {"config.json"}


def test_what_the_commit_does_not_have_is_left_out(hub, known, here):
    assert set(here.make_present(known, "none.json", "config.json")) == {"config.json"}
    assert here.make_present(known, "none.json", "../../etc/passwd") == {}
    assert not [row for row in hub.log if "none.json" in row["path"]]


def test_what_is_present_is_asked_of_nobody(hub, known, here):
    here.make_present(known)
    hub.log.clear()
    here.forget()
    assert contents(here.make_present(known)) == FILES
    assert hub.log == [] and state.served == {}


def test_a_blob_that_is_there_is_only_linked(hub, known, here):
    for visible in here.make_present(known).values():
        visible.unlink()
    hub.log.clear()
    assert contents(here.make_present(known)) == FILES
    assert hub.log == []


def test_the_lower_tier_comes_first_and_is_linked(hub, known, here):
    here.fill_cache(hub, REPO)
    hub.log.clear()
    present = here.make_present(known)
    assert contents(present) == FILES
    assert hub.log == []
    assert state.served["lower tier"][0] == len(FILES)
    cached = next(here.cache.glob("models--*/snapshots/*/model.safetensors"))
    assert cached.samefile(present["model.safetensors"])


def test_eight_threads_one_download(hub, known, here):
    hub.fault(match=WEIGHTS, latency=0.2)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: here.make_present(known, "model.safetensors"), range(8)))
    assert all(contents(each) == {"model.safetensors": FILES["model.safetensors"]} for each in found)
    assert state.served["hub"][0] == 1


# -- wrong bytes --------------------------------------------------------------------------------------------------
def test_one_byte_flipped_on_the_way_is_asked_for_once_more(hub, known, here):
    fault = hub.fault(match=WEIGHTS, corrupt=777, times=1)
    assert contents(here.make_present(known)) == FILES
    assert fault["times"] == 0
    assert state.liars == {}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_hub_that_flips_a_byte_each_time(hub, known, here, name, caplog):
    pattern = WEIGHTS if name == "model.safetensors" else "GET .*config.json"
    hub.fault(match=pattern, corrupt=3)
    for attempt in range(2):
        before = len(hub.log)
        with pytest.raises(VerificationError) as caught:
            here.make_present(known, name)
        for part in (REPO, name, known.commit, known.tree.files[name].etag, "hub"):
            assert part in str(caught.value)
        assert caught.value.hint
        assert attempt or len([row for row in hub.log[before:] if row["method"] == "GET"]) >= 2
    assert here.visible() == {} and here.blobs() == []
    assert "hub gave wrong bytes" in caplog.text
    hub.faults.clear()
    assert set(here.make_present(known, name)) == {name}  # what it says next is checked like anything else


def damage(here, name, change):
    """Damages a blob of the lower tier where it lies."""
    path = next(here.cache.glob(f"models--*/snapshots/*/{name}")).resolve()
    path.write_bytes(change(path.read_bytes()))
    return path


DAMAGES = {
    "flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "truncated": lambda content: content[:-1],
    "emptied": lambda content: b"",
    "longer": lambda content: content + b"x",
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_damaged_file_in_the_lower_tier_is_refused_and_the_hub_asked(hub, known, here, name, change, caplog):
    here.fill_cache(hub, REPO)
    damaged = damage(here, name, change)
    content = damaged.read_bytes()
    assert contents(here.make_present(known)) == FILES
    assert state.served["hub"][0] == 1
    assert state.served["lower tier"][0] == len(FILES) - 1
    assert damaged.read_bytes() == content  # it is read only to us
    assert "lower tier gave wrong bytes" in caplog.text


def test_a_damaged_file_and_nobody_else(hub, known, here):
    here.fill_cache(hub, REPO)
    damage(here, "model.safetensors", DAMAGES["flipped"])
    with pytest.raises(VerificationError) as caught:
        here.make_present(known, local_only=True)
    assert "lower tier" in str(caught.value)
    assert "model.safetensors" not in here.visible()
    assert known.tree.files["model.safetensors"].etag not in here.blobs()


def test_a_connection_that_breaks_half_way(hub, known, here):
    hub.fault(match=WEIGHTS, truncate=500_000, times=1)
    assert contents(here.make_present(known)) == FILES


# -- nobody -------------------------------------------------------------------------------------------------------
def test_this_machine_alone(hub, known, here):
    for options in ({"local_only": True}, {}):
        if not options:
            here.change(force_local=True)
        with pytest.raises(Unavailable) as caught:
            here.make_present(known, "config.json", **options)
        assert REPO in str(caught.value) and "config.json" in str(caught.value)
    assert hub.log == []


def test_a_file_that_the_hub_has_lost(hub, known, here):
    hub.fault(match="config.json", status=404, code="EntryNotFound")
    with pytest.raises(Unavailable):
        here.make_present(known, "config.json")
    assert here.visible() == {}


def test_force_asks_anew(hub, known, here):
    here.fill_cache(hub, REPO)
    here.make_present(known)
    state.served.clear()
    assert contents(here.make_present(known, force=True)) == FILES
    assert state.served == {"hub": [len(FILES), sum(map(len, FILES.values()))]}


# -- the store ----------------------------------------------------------------------------------------------------
def test_a_store_that_cannot_be_written(hub, known, here):
    before = here.settings.home
    here.change(home=before.with_name("blocked"))
    here.settings.home.write_bytes(b"in the way")
    with pytest.raises(StoreError) as caught:
        here.make_present(known)
    assert "IPFS_ACCELERATE_HOME" in caught.value.hint


def test_a_half_written_file_of_a_dead_process_is_no_obstacle(known, here):
    entry = known.tree.files["model.safetensors"]
    blobs = here.store.root / "models--acme--model" / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    (blobs / f"{entry.etag[:16]}.abc.incomplete").write_bytes(b"half")
    lock = here.store.root / ".locks" / "models--acme--model" / f"{entry.etag}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    assert contents(here.make_present(known)) == FILES


def test_a_hub_that_was_unwell_for_a_moment_still_supplies_what_nobody_else_has(hub, known, here):
    here.forget()
    hub.fault(status=503, times=1)
    again = here.resolve(REPO)
    assert again.according_to == "store"
    assert contents(here.make_present(again)) == FILES


@pytest.mark.parametrize("fault", [{"hang": True}, {"status": 503}])
def test_a_hub_that_stays_unwell_costs_one_more_timeout(hub, known, here, fault):
    here.forget()
    here.change(timeout=0.4)
    hub.fault(**fault)
    again = here.resolve(REPO)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        here.make_present(again)
    assert time.monotonic() - started < 5  # huggingface_hub's own patience is ten seconds and more


def test_a_bad_address_of_a_node_is_one_warning(known, here, caplog):
    here.change(node="http://127.0.0.1:port")
    for path, content in FILES.items():
        assert contents(here.make_present(known, path)) == {path: content}
    [record] = [each for each in caplog.records if each.name == "ipfs_accelerate_py" and each.levelname == "WARNING"]
    assert "IPFS_ACCELERATE_NODE" in record.getMessage()
