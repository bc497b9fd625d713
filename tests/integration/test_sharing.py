"""What a hooked load leaves in the Hugging Face cache: what plain transformers would have left, and no second copy."""

from __future__ import annotations

import os

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .probe import ask
from .repos import commit_of, make_repos

pytestmark = pytest.mark.lines

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
    assert (sorted(found.keys() - expected.keys()), sorted(expected.keys() - found.keys())) == ([], [])
    assert found == expected
