"""What a hooked load leaves in the Hugging Face cache: what plain transformers would have left, and no second copy."""

from __future__ import annotations

import os
import re
from importlib.metadata import version

import huggingface_hub
import pytest

from ipfs_accelerate_py.hf_cache import share
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .probe import ask
from .repos import commit_of, make_repos

pytestmark = [pytest.mark.lines, pytest.mark.timeout(900)]

LINES = {
    "config": "AutoConfig.from_pretrained('acme/config').model_type",
    "no config": "AutoConfig.from_pretrained('acme/bare')",
    "tokenizer": "AutoTokenizer.from_pretrained('acme/bert')('the dog')",
    "model": "AutoModel.from_pretrained('acme/bert')",
    "shards": "AutoModel.from_pretrained('acme/sharded')",
    "a tag": "AutoModel.from_pretrained('acme/tag', revision='v1')",
    "a branch with a slash": "AutoConfig.from_pretrained('acme/tag', revision='feature/old')",
    "a commit": "AutoModel.from_pretrained('acme/commit', revision='{first}')",
    "a .bin": "AutoModel.from_pretrained('acme/binary')",
    "subfolder": "AutoModel.from_pretrained('acme/nested', subfolder='inner/most')",
    "processor": "AutoProcessor.from_pretrained('acme/vit')",
    "image processor": "AutoImageProcessor.from_pretrained('acme/vit')",
    "pipeline": "pipeline('feature-extraction', 'acme/pipeline').task",
    "remote code": "AutoModel.from_pretrained('acme/own', trust_remote_code=True)",
    "gated": "AutoModel.from_pretrained('acme/gated', token='hf_alice')",
    "private": "AutoConfig.from_pretrained('acme/private', token='hf_alice').model_type",
    "cached_file that is not there": "cached_file('acme/config', 'none', _raise_exceptions_for_missing_entries=False)",
}
OLD = version("transformers").startswith("4.")
ADAPTER = re.compile(r"models--acme--(tag|commit)/\.no_exist/\w+(/adapter_config.json)?$")
BEFORE = "from transformers.utils.hub import cached_file"


@pytest.fixture(scope="module")
def wide_hub(tiny_models, tmp_path_factory):
    folders = make_repos(tmp_path_factory.mktemp("repos"), tiny_models)
    with LocalHub(tokens={"hf_alice": "alice"}) as hub:
        for name in ("bert", "sharded", "binary", "own", "nested", "bare", "vit"):
            hub.add(f"acme/{name}", folders[name])
        for name in ("config", "tag", "commit", "pipeline"):
            hub.add(f"acme/{name}", folders["bert"])
        hub.add("acme/gated", folders["bert"], meta={"gated": "manual", "allow": ["alice"]})
        hub.add("acme/private", folders["bert"], meta={"private": True, "allow": ["alice"]})
        for name in ("tag", "commit"):
            repo = hub.repos[("models", f"acme/{name}")]
            first = commit_of(hub, f"acme/{name}")
            repo.refs |= {"old": first, "feature/old": first}
            repo.tags["v1"] = first
            hub.add(f"acme/{name}", folders["second"])
            assert commit_of(hub, f"acme/{name}") != first
        yield hub


def lines(hub):
    first = commit_of(hub, "acme/commit", "old")
    return {label: line.replace("{first}", first) for label, line in LINES.items()}


def load(folder, hub, hooked):
    machine = Machine(folder / "m", hub=hub)
    return machine, ask(machine, lines(hub), BEFORE, hooked=hooked)


@pytest.fixture(scope="module")
def plain(wide_hub, tmp_path_factory):
    return load(tmp_path_factory.mktemp("plain"), wide_hub, False)


@pytest.fixture(scope="module")
def hooked(wide_hub, tmp_path_factory):
    return load(tmp_path_factory.mktemp("hooked"), wide_hub, True)


def contents(cache):
    """Every name in a cache, and what it is: a folder, the target of a link, or bytes. Locks are nobody's to find."""
    found = {}
    for root, folders, files in os.walk(cache):
        folders[:] = [name for name in folders if name != ".locks"]
        for name in (*folders, *files):
            path = os.path.join(root, name)
            where = os.path.relpath(path, cache)
            if os.path.islink(path):
                found[where] = os.readlink(path)
            elif os.path.isdir(path):
                found[where] = "a folder"
            else:
                with open(path, "rb") as file:
                    found[where] = file.read()
    return found


def test_the_cache_is_as_plain_leaves_it(plain, hooked):
    expected, found = (contents(machine.cache / "hub") for machine, _ in (plain, hooked))
    if OLD:
        # Plain looks for an adapter on the main branch whatever revision is loaded, and we at the commit of the load.
        for names in (expected, found):
            for name in [name for name in names if ADAPTER.match(name)]:
                del names[name]
        for name in ("tag/refs/main", "commit/refs/main", "commit/refs"):
            del expected[f"models--acme--{name}"]
    assert (sorted(found.keys() - expected.keys()), sorted(expected.keys() - found.keys())) == ([], [])
    assert found == expected


HUB = "__import__('huggingface_hub')."
FOUND = {
    "try_to_load_from_cache": f"bool({HUB}try_to_load_from_cache('acme/bert', 'vocab.txt'))",
    "hf_hub_download": f"{HUB}hf_hub_download('acme/bert', 'vocab.txt', local_files_only=True).split('/')[-2:]",
    "hf_hub_download of a tag": f"{HUB}hf_hub_download('acme/tag', 'config.json', revision='v1').split('/')[-2:]",
    "snapshot_download": f"{HUB}snapshot_download('acme/config', local_files_only=True).split('/')[-1]",
    "repos": f"sorted([r.repo_id, r.size_on_disk, r.nb_files, sorted(r.refs)] for r in {HUB}scan_cache_dir().repos)",
    "warnings": f"[str(warning) for warning in {HUB}scan_cache_dir().warnings]",
}


def test_whoever_has_no_hook_finds_it_without_a_network(plain, hooked, wide_hub):
    """Programs in which nothing of ours runs, on the machine of the plain load and on that of the hooked one."""
    wanted = {**FOUND, **lines(wide_hub)}
    env = {"HF_HUB_OFFLINE": "1"}
    expected, found = (ask(machine, wanted, BEFORE, hooked=False, env=env) for machine, _ in (plain, hooked))
    folders = [(str(machine.cache), "CACHE") for machine, _ in (plain, hooked)]
    expected, found = (outcomes.seen(replaced=folders) for outcomes in (expected, found))
    if OLD:  # the same adapters: plain has left refs there to a commit of which it has nothing
        for seen in (expected, found):
            for label, rows in (("repos", seen["repos"][0]), ("warnings", seen["warnings"][0])):
                seen[label] = [row for row in rows if not re.search("acme(/|--)(tag|commit)", str(row))]
    assert found == expected
    assert found["try_to_load_from_cache"][0] is True and found["model"][0] is not None


def test_the_next_container(wide_hub, tmp_path):
    """A fresh home, and HF_HOME on a volume: nothing is downloaded again, and no network is needed, nor are we."""
    volume = tmp_path / "volume"
    container = {"HF_HOME": str(volume), "IPFS_ACCELERATE_HOME": ""}
    wanted = {name: LINES[name] for name in ("model", "tokenizer", "pipeline")}
    first = ask(Machine(tmp_path / "one", hub=wide_hub, **container), wanted)
    assert not first.errors and (volume / "ipfs_accelerate" / "models--acme--bert").is_dir()
    second = ask(Machine(tmp_path / "two", hub=wide_hub, **container), wanted)
    assert not [request for request in second.requests if "/resolve/" in request or "/_blob/" in request]
    later = Machine(tmp_path / "three", HF_HUB_OFFLINE="1", **container)
    assert [second.seen(), *(ask(later, wanted, hooked=hooked).seen() for hooked in (True, False))] == [
        first.seen()
    ] * 3
    assert not (tmp_path / "three" / ".cache" / "ipfs_accelerate").exists()


def test_a_store_from_before_hf_home_was_set(wide_hub, tmp_path):
    """Its files are linked, not downloaded again; and force_download renews what the cache has, too."""
    machine = Machine(tmp_path / "m", hub=wide_hub, HF_HOME="", IPFS_ACCELERATE_HOME="", IPFS_ACCELERATE_SHARE="off")
    wanted = {"model": LINES["model"]}
    first = ask(machine, wanted)
    assert machine.store.is_dir() and not (machine.cache / "hub").exists()
    machine.more = {"HF_HOME": str(tmp_path / "volume"), "IPFS_ACCELERATE_HOME": ""}
    wanted["again"] = "AutoConfig.from_pretrained('acme/bert', force_download=True).model_type"
    second = ask(machine, wanted)
    assert second["model"].value == first["model"].value and second["again"].value == "bert"
    assert not [request for request in second["model"].requests if "/resolve/" in request or "/_blob/" in request]
    for cache in (tmp_path / "volume" / "hub", machine.store):
        [config] = cache.glob("models--acme--bert/snapshots/*/config.json")
        store = tmp_path / "volume" / "ipfs_accelerate" / config.relative_to(cache)
        assert store.samefile(config) is (cache != machine.store)


def test_beside_a_program_that_fills_the_same_cache(wide_hub, here):
    """Plain huggingface_hub downloads what we leave at the same moment: all is whole, and nothing is left over."""
    here.point_at(wide_hub)
    here.change(lower=())
    resolution = here.resolve("acme/bert")
    present = here.make_present(resolution)
    for number in range(15):
        cache = here.cache / str(number)
        child = os.fork()
        if child == 0:
            try:
                for path in present:
                    huggingface_hub.hf_hub_download(
                        "acme/bert", path, cache_dir=cache, endpoint=wide_hub.endpoint, token=False
                    )
                os._exit(0)
            finally:
                os._exit(1)
        for _ in range(20):
            for path in present:
                share.share(here.store, str(cache), resolution, [path], (), "main")
        assert os.waitpid(child, 0)[1] == 0
        assert [str(warning) for warning in huggingface_hub.scan_cache_dir(cache).warnings] == []
        for path, ours in present.items():
            visible = cache / "models--acme--bert" / "snapshots" / resolution.commit / path
            assert visible.is_symlink() and visible.read_bytes() == ours.read_bytes()
        assert len(list(cache.glob("models--acme--bert/blobs/*"))) == len(
            {os.path.realpath(p) for p in present.values()}
        )
