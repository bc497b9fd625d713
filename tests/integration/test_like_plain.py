"""The arguments of from_pretrained, and its errors, mean what they mean without us."""

from __future__ import annotations

import re

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .probe import ask
from .repos import commit_of, make_repos

pytestmark = pytest.mark.lines

# {first}: the first commit of acme/bert
LINES = {
    "the newest of a branch": "AutoConfig.from_pretrained('acme/bert')",
    "another branch": "AutoConfig.from_pretrained('acme/bert', revision='old')",
    "a branch with a slash": "AutoConfig.from_pretrained('acme/bert', revision='feature/old')",
    "a tag": "AutoModel.from_pretrained('acme/bert', revision='v1')",
    "a tag, tokenizer": "AutoTokenizer.from_pretrained('acme/bert', revision='v1')",
    "a commit": "AutoModel.from_pretrained('acme/bert', revision='{first}')",
    "pipeline of a commit": "pipeline('feature-extraction', 'acme/bert', revision='{first}')",
    "processor of a tag": "AutoProcessor.from_pretrained('acme/bert', revision='v1')",
    "subfolder": "AutoModel.from_pretrained('acme/nested', subfolder='inner/most')",
    "subfolder, tokenizer": "AutoTokenizer.from_pretrained('acme/nested', subfolder='inner/most')",
    "shards": "AutoModel.from_pretrained('acme/sharded')",
    "a .bin": "AutoModel.from_pretrained('acme/binary')",
    "code of the repo": "AutoModel.from_pretrained('acme/own', trust_remote_code=True)",
    "code of the repo, config": "AutoConfig.from_pretrained('acme/own', trust_remote_code=True)",
    "code of another commit": "AutoModel.from_pretrained('acme/own', trust_remote_code=True, code_revision='main')",
    "config of another class": "AutoModel.from_pretrained('acme/bert', config=BertConfig.from_pretrained('acme/bert'))",
    "loading info": "AutoModel.from_pretrained('acme/bert', output_loading_info=True)[0]",
    "unused kwargs": "list(AutoConfig.from_pretrained('acme/bert', return_unused_kwargs=True, foo=1)[1])",
    "no such subfolder": "AutoModel.from_pretrained('acme/bert', subfolder='nowhere')",
    "no such repo": "AutoModel.from_pretrained('acme/nobody')",
    "no such repo, tokenizer": "AutoTokenizer.from_pretrained('acme/nobody')",
    "no such repo, concrete class": "BertModel.from_pretrained('acme/nobody')",
    "no such repo, processor": "AutoProcessor.from_pretrained('acme/nobody')",
    "no such revision": "AutoModel.from_pretrained('acme/bert', revision='nope')",
    "no such revision, tokenizer": "AutoTokenizer.from_pretrained('acme/bert', revision='nope')",
    "no such commit": "AutoModel.from_pretrained('acme/bert', revision='" + "0" * 40 + "')",
    "no config": "AutoConfig.from_pretrained('acme/bare')",
    "no config, tokenizer": "AutoTokenizer.from_pretrained('acme/bare')",
    "no config, concrete class": "BertModel.from_pretrained('acme/bare')",
    "no weights": "AutoModel.from_pretrained('acme/weightless')",
    "no weights, of a branch": "BertModel.from_pretrained('acme/weightless', revision='main')",
    "no safetensors": "AutoModel.from_pretrained('acme/binary', use_safetensors=True)",
    "no variant": "AutoModel.from_pretrained('acme/bert', variant='fp16')",
    "no generation config": "GenerationConfig.from_pretrained('acme/bert')",
    "no image processor": "AutoImageProcessor.from_pretrained('acme/bert')",
    "wrong class": "AutoModelForCausalLM.from_pretrained('acme/vit')",
    "no name": "AutoModel.from_pretrained(None)",
    "not a name": "AutoModel.from_pretrained('a/b/c')",
    "not a name either": "AutoModel.from_pretrained('../acme/bert')",
    "a folder without a model": "AutoModel.from_pretrained('.')",
    "gated": "AutoModel.from_pretrained('acme/gated')",
    "gated, refused": "AutoModel.from_pretrained('acme/gated', token='hf_bob')",
    "gated, wrong token": "AutoModel.from_pretrained('acme/shut', token='hf_nobody')",
    "gated, allowed": "AutoModel.from_pretrained('acme/gated', token='hf_alice')",
    "gated, tokenizer": "AutoTokenizer.from_pretrained('acme/gated', token='hf_alice')",
    "private": "AutoModel.from_pretrained('acme/private')",
    "private, refused": "AutoModel.from_pretrained('acme/private', token='hf_bob')",
    "private, allowed": "AutoModel.from_pretrained('acme/private', token='hf_alice')",
    "private, token=False": "AutoConfig.from_pretrained('acme/private', token=False)",
    "private, pipeline": "pipeline('feature-extraction', 'acme/private', token='hf_alice')",
    "cached_file": "len(cached_file('acme/bert', 'vocab.txt').split('/')[-1])",
    "cached_file that is not there": "cached_file('acme/bert', 'nothing.txt')",
    "has_file": "[has_file('acme/bert', name) for name in ('config.json', 'nothing.txt')]",
}
BEFORE = "from transformers.utils.hub import cached_file, has_file"


@pytest.fixture(scope="module")
def wide_hub(tiny_models, tmp_path_factory):
    """acme/bert with branches, a tag and two commits, and a repo of each other shape."""
    folders = make_repos(tmp_path_factory.mktemp("repos"), tiny_models)
    with LocalHub(tokens={"hf_alice": "alice", "hf_bob": "bob"}) as hub:
        for name in ("bert", "sharded", "binary", "own", "nested", "weightless", "bare", "vit"):
            hub.add(f"acme/{name}", folders[name])
        for name in ("gated", "shut"):
            hub.add(f"acme/{name}", folders["bert"], meta={"gated": "manual", "allow": ["alice"]})
        hub.add("acme/private", folders["bert"], meta={"private": True, "allow": ["alice"]})
        repo = hub.repos[("models", "acme/bert")]
        first = commit_of(hub, "acme/bert")
        repo.refs |= {"old": first, "feature/old": first}
        repo.tags["v1"] = first
        hub.add("acme/bert", folders["second"])
        assert commit_of(hub, "acme/bert") != first
        yield hub


def told(folder, hub, hooked):
    machine = Machine(folder / "m", hub=hub)
    return machine, ask(machine, lines(hub), BEFORE, hooked=hooked)


def lines(hub):
    return {label: line.replace("{first}", commit_of(hub, "acme/bert", "old")) for label, line in LINES.items()}


@pytest.fixture(scope="module")
def plain(wide_hub, tmp_path_factory):
    return told(tmp_path_factory.mktemp("plain"), wide_hub, False)


@pytest.fixture(scope="module")
def hooked(wide_hub, plain, tmp_path_factory):
    return told(tmp_path_factory.mktemp("hooked"), wide_hub, True)


@pytest.fixture(scope="module")
def plain_again(wide_hub, plain):
    """Plain says some things in other words once a cache is filled."""
    return plain[0], ask(plain[0], lines(wide_hub), BEFORE, hooked=False)


@pytest.mark.parametrize("label", LINES)
def test_same_as_plain(label, plain, plain_again, hooked):
    """Value, or type and text of the error, which names neither our store nor a commit that the user did not."""
    value, error = seen(*hooked)[label]
    assert [value, error] in (seen(*plain)[label], seen(*plain_again)[label])
    if error:
        assert "ipfs_accelerate" not in error["text"]


def seen(machine, outcomes):
    """Values and errors, with the same name for the cache folder and without the ids of requests."""
    folders = [(re.escape(str(folder)), "CACHE") for folder in (machine.store, machine.cache / "hub", machine.home)]
    return outcomes.seen(replaced=[*folders, (r"Request ID: [\w-]+", "Request ID")])
