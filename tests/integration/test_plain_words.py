"""What transformers and huggingface_hub log, and what Python's warnings bring, is the same under the hook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .probe import ask
from .repos import OWN, commit_of, make_repos

pytestmark = pytest.mark.lines

OWN_CODE = "AutoModel.from_pretrained('acme/own', trust_remote_code=True"
# {first}: the first commit of acme/moved. Each line runs in the same interpreter, in this order.
LINES = {
    "code of the repo": f"{OWN_CODE})",
    "code of the repo, again": f"{OWN_CODE})",
    "code of the repo, by name of the branch": f"{OWN_CODE}, revision='main')",
    "code of the repo, config": "AutoConfig.from_pretrained('acme/own', trust_remote_code=True)",
    "code of the repo, not trusted": "AutoModel.from_pretrained('acme/own', trust_remote_code=False)",
    "code of the repo, asked": "AutoModel.from_pretrained('acme/own')",
    "code of another repo": "AutoModel.from_pretrained('acme/borrower', trust_remote_code=True)",
    "code of another repo, pinned": (
        "AutoModel.from_pretrained('acme/borrower', trust_remote_code=True, code_revision='main')"
    ),
    "code of a commit": "AutoModel.from_pretrained('acme/moved', trust_remote_code=True, revision='{first}')",
    "code of a branch": "AutoModel.from_pretrained('acme/moved', trust_remote_code=True, revision='old')",
    "newer code": "AutoModel.from_pretrained('acme/moved', trust_remote_code=True)",
    "newer code, again": "AutoModel.from_pretrained('acme/moved', trust_remote_code=True)",
    "code of another commit than the model": (
        "AutoModel.from_pretrained('acme/moved', trust_remote_code=True, revision='old', code_revision='main')"
    ),
    "code of a pipeline": "pipeline('feature-extraction', 'acme/moved', trust_remote_code=True).model",
    "the class by its reference": (
        "get_class_from_dynamic_module('configuration_own.OwnConfig', 'acme/code').__name__"
    ),
    "use_auth_token": "AutoModel.from_pretrained('acme/bert', use_auth_token='hf_alice')",
    "use_auth_token and token": "AutoModel.from_pretrained('acme/bert', use_auth_token='hf_alice', token='hf_bob')",
    "use_auth_token, config": "AutoConfig.from_pretrained('acme/bert', use_auth_token='hf_alice')",
    "use_auth_token, tokenizer": "AutoTokenizer.from_pretrained('acme/bert', use_auth_token='hf_alice')",
    "use_auth_token, processor": "AutoProcessor.from_pretrained('acme/bert', use_auth_token='hf_alice')",
    "use_auth_token, image processor": "AutoImageProcessor.from_pretrained('acme/vit', use_auth_token='hf_alice')",
    "use_auth_token, concrete class": "BertModel.from_pretrained('acme/bert', use_auth_token='hf_alice')",
    "resume_download": "AutoModel.from_pretrained('acme/bert', resume_download=True)",
    "resume_download, tokenizer": "AutoTokenizer.from_pretrained('acme/bert', resume_download=True)",
    "resume_download, cached_file": "cached_file('acme/bert', 'config.json', resume_download=True) and 1",
    "proxies": "AutoConfig.from_pretrained('acme/bert', proxies={})",
    "mirror": "AutoModel.from_pretrained('acme/bert', mirror='x')",
    "torch_dtype": "AutoModel.from_pretrained('acme/bert', torch_dtype='float32')",
    "dtype": "AutoModel.from_pretrained('acme/bert', dtype='float32')",
    "an odd dtype": "AutoModel.from_pretrained('acme/bert', dtype='no_such_type')",
    "from_tf": "AutoModel.from_pretrained('acme/bert', from_tf=True)",
    "from_flax": "AutoModel.from_pretrained('acme/bert', from_flax=True)",
    "_fast_init": "BertModel.from_pretrained('acme/bert', _fast_init=False)",
    "low_cpu_mem_usage": "AutoModel.from_pretrained('acme/bert', low_cpu_mem_usage=True)",
    "unknown kwarg": "AutoModel.from_pretrained('acme/bert', no_such_argument=1)",
    "unknown kwarg, config": "AutoConfig.from_pretrained('acme/bert', no_such_argument=1)",
    "unknown kwarg, tokenizer": "AutoTokenizer.from_pretrained('acme/bert', no_such_argument=1)",
    "use_fast": "AutoTokenizer.from_pretrained('acme/bert', use_fast=False)",
    "use_fast, image processor": "AutoImageProcessor.from_pretrained('acme/vit', use_fast=True)",
    "image processor": "AutoImageProcessor.from_pretrained('acme/vit')",
    "feature extractor of images": "AutoFeatureExtractor.from_pretrained('acme/vit')",
    "tokenizer of another type": "GPT2TokenizerFast.from_pretrained('acme/bert')",
    "config of another type": "GPT2Config.from_pretrained('acme/bert')",
    "model of another type": "GPT2Model.from_pretrained('acme/bert')",
    "shards": "AutoModel.from_pretrained('acme/sharded')",
    "a shard is missing": "AutoModel.from_pretrained('acme/hole')",
    "a .bin": "AutoModel.from_pretrained('acme/binary')",
    "mismatched": "AutoModel.from_pretrained('acme/mismatched')",
    "mismatched, ignored": "AutoModel.from_pretrained('acme/mismatched', ignore_mismatched_sizes=True) and 1",
    "missing keys": "AutoModelForSequenceClassification.from_pretrained('acme/bert')",
    "unexpected keys": "AutoModel.from_pretrained('acme/more')",
    "missing pooler": "AutoModel.from_pretrained('acme/less')",
    "tied weights": "AutoModelForCausalLM.from_pretrained('acme/gpt2')",
    "tied weights, masked": "AutoModelForMaskedLM.from_pretrained('acme/bert')",
    "decoder of an encoder": "AutoModelForCausalLM.from_pretrained('acme/bert')",
    "no generation config": "AutoModelForCausalLM.from_pretrained('acme/silent')",
    "no generation config, alone": "GenerationConfig.from_pretrained('acme/silent')",
    "odd generation config": "AutoModelForCausalLM.from_pretrained('acme/loud')",
    "generation settings in the config": "AutoModelForCausalLM.from_pretrained('acme/old_settings')",
    "no template": "AutoTokenizer.from_pretrained('acme/bert').apply_chat_template([{'role': 'user', 'content': 'a'}])",
    "no special tokens": "AutoTokenizer.from_pretrained('acme/gpt2')('the dog', padding=True)['input_ids']",
    "no config for the tokenizer": "AutoTokenizer.from_pretrained('acme/bare')",
    "no weights": "AutoModel.from_pretrained('acme/weightless')",
    "adapter settings": "AutoModel.from_pretrained('acme/bert', adapter_kwargs={'revision': 'main'})",
    "pipeline": "pipeline('feature-extraction', 'acme/bert').model",
    "pipeline without a model": "pipeline('no-such-task', 'acme/bert')",
    "gated": "AutoModel.from_pretrained('acme/gated')",
    "gated, tokenizer": "AutoTokenizer.from_pretrained('acme/gated')",
    "unknown": "AutoModel.from_pretrained('acme/nobody')",
    "unknown, tokenizer": "AutoTokenizer.from_pretrained('acme/nobody')",
    "unknown revision": "AutoModel.from_pretrained('acme/bert', revision='nope')",
    "forced": "AutoModel.from_pretrained('acme/bert', force_download=True)",
    "forced, tokenizer": "AutoTokenizer.from_pretrained('acme/bert', force_download=True)",
    "this machine only": "AutoModel.from_pretrained('acme/bert', local_files_only=True)",
    "this machine only, unknown": "AutoModel.from_pretrained('acme/never', local_files_only=True)",
    "a local folder": "AutoModel.from_pretrained('.')",
    "not a name": "AutoModel.from_pretrained('a/b/c')",
    "pretrained config": "AutoModel.from_config(AutoConfig.from_pretrained('acme/bert'))",
    "push without a token": "AutoConfig.from_pretrained('acme/bert').push_to_hub('acme/bert')",
    "old class": "AutoModelWithLMHead.from_pretrained('acme/gpt2')",
    "has_file": "has_file('acme/bert', 'nothing.txt')",
    "has_file, unknown": "has_file('acme/nobody', 'config.json')",
    "cached_file": "cached_file('acme/bert', 'nothing.txt', _raise_exceptions_for_missing_entries=False)",
}
# What a later process is asked.
AGAIN = {label: line for label, line in LINES.items() if "code" in label or "resume" in label or "auth" in label}
BEFORE = """
import os, sys
from transformers.utils.hub import cached_file, has_file
from transformers.dynamic_module_utils import get_class_from_dynamic_module
"""
WEIGHTS = """
import sys, torch
from safetensors.torch import load_file, save_file
bert, more, less = sys.argv[1:]
held = load_file(bert)
save_file({**held, "no.such.weight": torch.ones(2)}, more, metadata={"format": "pt"})
save_file({k: v for k, v in held.items() if "pooler" not in k}, less, metadata={"format": "pt"})
"""


def change(folder, name, **values):
    """Other values in a JSON file of a repo."""
    path = folder / name
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **values}))


@pytest.fixture(scope="module")
def talking_hub(tiny_models, tmp_path_factory):
    """Repos about which there is something to say."""
    folder = tmp_path_factory.mktemp("repos")
    made = make_repos(folder, tiny_models)
    for name in ("mismatched", "more", "less"):
        made[name] = shutil.copytree(made["bert"], folder / name)
    change(made["mismatched"], "config.json", vocab_size=30)
    made["hole"] = shutil.copytree(made["sharded"], folder / "hole")
    sorted(made["hole"].glob("model-*.safetensors"))[1].unlink()
    for name in ("silent", "loud", "old_settings"):
        made[name] = shutil.copytree(made["gpt2"], folder / name)
        (made[name] / "generation_config.json").unlink(missing_ok=True)
    change(made["loud"], "generation_config.json", temperature=0.5, do_sample=False, num_beams=1, length_penalty=2.0)
    change(made["old_settings"], "config.json", max_length=7, do_sample=True)
    made["borrower"] = shutil.copytree(made["own"], folder / "borrower")
    for path in made["borrower"].glob("*.py"):
        path.unlink()
    names = {"AutoConfig": "configuration_own.OwnConfig", "AutoModel": "modeling_own.OwnModel"}
    change(made["borrower"], "config.json", auto_map={k: f"acme/lender--{v}" for k, v in names.items()})
    changed = shutil.copytree(made["own"], folder / "changed")
    for name in ("configuration_own.py", "modeling_own.py"):
        (changed / name).write_text(OWN[name] + "\n# newer\n")
    words = [made[name] / "model.safetensors" for name in ("bert", "more", "less")]
    subprocess.run([sys.executable, "-c", WEIGHTS, *words], check=True, env={"PATH": "", "IPFS_ACCELERATE": "0"})
    with LocalHub(tokens={"hf_alice": "alice", "hf_bob": "bob"}) as hub:
        for name in (*made,):
            if name != "second":
                hub.add(f"acme/{name}", made[name])
        for name in ("lender", "moved", "code"):
            hub.add(f"acme/{name}", made["own"])
        repo = hub.repos["models", "acme/moved"]
        repo.refs["old"] = commit_of(hub, "acme/moved")
        hub.add("acme/moved", changed)
        hub.add("acme/gated", made["bert"], meta={"gated": "manual", "allow": ["alice"]})
        yield hub


def told(machine, lines, hooked):
    first = commit_of(machine.hub, "acme/moved", "old")
    lines = {label: line.replace("{first}", first) for label, line in lines.items()}
    answers = ask(machine, lines, BEFORE, hooked=hooked, timeout=400)
    return {label: heard(machine, outcome) for label, outcome in answers.items()}


def heard(machine, outcome):
    """What was said, with the same name for the cache folder; sorted, since some of it is said by threads."""
    folders = [(machine.store, "CACHE"), (machine.cache / "hub", "CACHE"), (machine.home, "HOME")]
    scratch = (r"CACHE/\.locks/ipfs_accelerate/hub/[\w-]+", "CACHE")
    other = [scratch, (r"Request ID: [\w-]+", "ID"), (r"/tmp/tmp\w+", "TMP")]
    text = json.dumps(outcome.said)
    for old, new in [*((re.escape(str(folder)), new) for folder, new in folders), *other]:
        text = re.sub(old, new, text)
    return sorted(json.loads(text))


@pytest.fixture(scope="module")
def machines(talking_hub, tmp_path_factory):
    """One for plain transformers, one for hooked."""
    folder = tmp_path_factory.mktemp("machines")
    chatty = {"TRANSFORMERS_VERBOSITY": "info", "HF_HUB_VERBOSITY": "info", "PYTHONHASHSEED": "0"}
    return [Machine(folder / name, hub=talking_hub, **chatty) for name in ("plain", "hooked")]


@pytest.fixture(scope="module")
def first(machines):
    """What is said while the caches are empty."""
    return [told(machine, LINES, hooked=machine is machines[1]) for machine in machines]


@pytest.fixture(scope="module")
def second(machines, first):
    """What the next process says."""
    return [told(machine, AGAIN, hooked=machine is machines[1]) for machine in machines]


@pytest.fixture(scope="module")
def third(machines, second):
    """What is said where plain transformers has filled a cache: to itself, and to the hook that is new there."""
    return [told(machines[0], AGAIN, hooked) for hooked in (False, True)]


@pytest.mark.parametrize("label", LINES)
def test_same_words(label, first):
    plain, hooked = first
    assert hooked[label] == plain[label]


@pytest.mark.parametrize("label", AGAIN)
def test_same_words_of_the_next_process(label, second):
    plain, hooked = second
    assert hooked[label] == plain[label]


@pytest.mark.parametrize("label", AGAIN)
def test_same_words_where_a_cache_is_filled(label, third):
    plain, hooked = third
    assert hooked[label] == plain[label]


def test_code_that_is_not_pinned_is_warned_of(first):
    for said in first:
        warned = [text for _, level, text in said["code of the repo"] if level == "WARNING"]
        assert any("you can pin a revision" in text and "modeling_own.py" in text for text in warned)
        assert not [text for _, level, text in said["code of a branch"] if level == "WARNING"]
