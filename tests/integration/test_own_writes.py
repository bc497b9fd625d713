"""A program that pushes to the Hub loads what it has pushed, at once, by whichever name of the client it pushed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

pytestmark = pytest.mark.lines

ROOT = Path(__file__).resolve().parents[2]
NAME = "alice/bert"
# What is waited for where all is here is less; uploads are left quick for the test's sake.
SLOW_ANSWERS = {"match": "^GET /api/models/[^?]*/revision/", "latency": 1.2}
# Each way of writing that the Hub of the tests speaks; {i} is another number each time.
PUSHES = """
import io, json, sys, tempfile
from pathlib import Path
import huggingface_hub
from huggingface_hub import HfApi, create_commit, upload_file, CommitOperationAdd   # before the hook has come to them
held = HfApi().create_commit
from transformers import AutoConfig, AutoModel, AutoTokenizer

name = "alice/bert"
config = AutoConfig.from_pretrained(name)
model = AutoModel.from_pretrained(name)
tokenizer = AutoTokenizer.from_pretrained(name)
seen = []

def value():
    return AutoConfig.from_pretrained(name, **options).layer_norm_eps

def text(number):
    return json.dumps({**config.to_dict(), "layer_norm_eps": number}).encode()

def operation(number):
    return [CommitOperationAdd("config.json", text(number))]

def pushed_config(number):
    config.layer_norm_eps = number
    config.push_to_hub(name)

def folder(number):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_bytes(text(number))
        HfApi().upload_folder(repo_id=name, folder_path=folder)

def scheduler(number):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_bytes(text(number))
        from huggingface_hub import CommitScheduler
        watch = CommitScheduler(repo_id=name, folder_path=folder, every=1000)
        watch.trigger().result()
        watch.stop()

def fails(number):
    HfApi().create_commit(name, operation(number), commit_message="c")
    try:
        HfApi().create_commit(name, operation(7.0), commit_message="c", parent_commit="0" * 40)
    except Exception:
        pass

WAYS = {
    "push_to_hub": pushed_config,
    "HfApi().create_commit": lambda n: HfApi().create_commit(name, operation(n), commit_message="c"),
    "huggingface_hub.create_commit": lambda n: huggingface_hub.create_commit(name, operation(n), commit_message="c"),
    "create_commit": lambda n: create_commit(name, operation(n), commit_message="c"),
    "held": lambda n: held(name, operation(n), commit_message="c"),
    "upload_file": lambda n: upload_file(path_or_fileobj=text(n), path_in_repo="config.json", repo_id=name),
    "upload_folder": folder,
    "CommitScheduler": scheduler,
    "run_as_future": lambda n: HfApi().create_commit(
        name, operation(n), commit_message="c", run_as_future=True
    ).result(),
    "a write that failed": fails,
}
"""
QUICK = """
options = {}
number = 0.0
for label, push in WAYS.items():
    number += 0.125
    push(number)
    seen.append([label, number, value()])
for number in (1.0, 2.0):
    with __import__("torch").no_grad():
        model.embeddings.word_embeddings.weight.fill_(number)
    model.push_to_hub(name)
    loaded = AutoModel.from_pretrained(name).embeddings.word_embeddings.weight
    seen.append(["model", number, float(loaded.mean())])
    tokenizer.add_tokens([f"more{number}"])
    tokenizer.push_to_hub(name)
    seen.append(["tokenizer", len(tokenizer), len(AutoTokenizer.from_pretrained(name))])
HfApi().create_branch(name, branch="side")
options = {"revision": "side"}
before = value()
HfApi().upload_file(path_or_fileobj=text(5.0), path_in_repo="config.json", repo_id=name, revision="side")
seen.append(["branch", 5.0, value()])
HfApi().delete_branch(name, branch="side")
HfApi().create_branch(name, branch="side")
seen.append(["branch made anew", before, value()])
HfApi().create_tag(name, tag="t", revision="side")
options = {"revision": "t"}
seen.append(["tag", before, value()])
print(json.dumps(seen))
"""
SLOW = """
options = {}
for label, number in (("push_to_hub", 3.0), ("create_commit", 4.0)):
    WAYS[label](number)
    seen.append([label, number, value()])
tokenizer.add_tokens(["more"])
tokenizer.push_to_hub(name)
seen.append(["tokenizer", len(tokenizer), len(AutoTokenizer.from_pretrained(name))])
print(json.dumps(seen))
"""
# Another process writes; force_download asks anew, through from_pretrained and through cached_file.
FORCED = f"""
import json, subprocess, sys
from transformers import AutoConfig, BertConfig
from transformers.utils.hub import cached_file

name = "{NAME}"
write = '''
import json, sys
from huggingface_hub import hf_hub_download, upload_file
with open(hf_hub_download("{NAME}", "config.json")) as file:
    values = json.load(file)
text = json.dumps({{**values, "layer_norm_eps": float(sys.argv[1])}}).encode()
upload_file(path_or_fileobj=text, path_in_repo="config.json", repo_id="{NAME}")
'''

def others(number):
    subprocess.run([sys.executable, "-c", write, str(number)], check=True)

def read(path):
    with open(path) as file:
        return json.load(file)["layer_norm_eps"]

seen = []
AutoConfig.from_pretrained(name)
others(1.0)
seen.append(["from_pretrained", 1.0, AutoConfig.from_pretrained(name, force_download=True).layer_norm_eps])
others(2.0)
seen.append(["cached_file", 2.0, read(cached_file(name, "config.json", force_download=True))])
others(3.0)
seen.append(["concrete class", 3.0, BertConfig.from_pretrained(name, force_download=True).layer_norm_eps])
seen.append(["afterwards", 3.0, AutoConfig.from_pretrained(name).layer_norm_eps])
print(json.dumps(seen))
"""


@pytest.fixture
def writable(tiny_models, tmp_path):
    """A machine of alice's, and a Hub with a repo of alice's."""
    shutil.copytree(tiny_models / "tiny" / "bert", tmp_path / "repos" / NAME)
    with LocalHub(tmp_path / "repos", tokens={"hf_alice": "alice"}) as hub:
        yield Machine(tmp_path / "m", hub=hub, HF_TOKEN="hf_alice", HF_HUB_DISABLE_XET="1")


def stale(machine, code):
    """What was loaded otherwise than it had been written."""
    ran = machine.run(code, timeout=280)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout.splitlines()[-1])
    assert len(seen) > 2
    return [row for row in seen if row[1] != row[2]]


def test_what_was_pushed_is_loaded(writable):
    assert stale(writable, PUSHES + QUICK) == []


def test_what_was_pushed_is_loaded_from_a_slow_hub(writable):
    ran = writable.run(f"from transformers import AutoModel; AutoModel.from_pretrained('{NAME}')")
    assert ran.returncode == 0, ran.stderr
    writable.hub.fault(**SLOW_ANSWERS)
    assert stale(writable, PUSHES + SLOW) == []


@pytest.mark.parametrize("slow", [False, True])
def test_force_download_asks_anew(writable, slow):
    if slow:
        writable.hub.fault(**SLOW_ANSWERS)
    assert stale(writable, FORCED) == []


def test_the_session_is_put_back():
    code = """
import huggingface_hub.hf_api as client
import huggingface_hub._commit_api as commits
import huggingface_hub.utils as utils
before = utils.get_session
import transformers.utils.hub as hub
from ipfs_accelerate_py import auto_patch_transformers
session = client.get_session()
assert client.get_session is not before and client.get_session.__wrapped__ is before is utils.get_session
assert commits.get_session.__wrapped__ is before
assert type(session.post).__name__ == "Wrapper" and type(session.get).__name__ != "Wrapper"
assert isinstance(session, type(utils.get_session()))
auto_patch_transformers.restore()
assert client.get_session is commits.get_session is before
assert getattr(hub, "get_session", before) is before
assert not hasattr(getattr(commits, "http_backoff", None), "_self_wrapper")
"""
    words = [sys.executable, "-m", "ipfs_accelerate_py.hook", "run", "-c", code]
    ran = subprocess.run(words, env={"PATH": "", "IPFS_ACCELERATE": "1"}, capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
