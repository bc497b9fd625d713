"""HF_ENDPOINT names a mirror that does not say what files must be: plain's load, checked as far as that is possible."""

import json

import pytest

from tests.support.local_hub import LocalHub, Mirror

pytestmark = pytest.mark.lines
NAME = "tiny/bert"
LOAD = f"""
import json
from transformers import AutoModel
model = AutoModel.from_pretrained({NAME!r})
from ipfs_accelerate_py.auto_patch_transformers import get_status
print(json.dumps([float(sum(each.double().sum() for each in model.parameters())), get_status()["vouched"]]))
"""
UNVERIFIED = "and not verified"
# how the mirror is, and who then vouches for what is loaded
MIRRORS = {
    "drops the question for hashes": (Mirror(query=False), {"hub"}),
    "the same, weak ETags": (Mirror(query=False, etag="weak"), {"hub"}),
    "the same, md5": (Mirror(query=False, etag="md5"), {"nobody"}),
    "the same, sha1 of the content": (Mirror(query=False, etag="sha1"), {"nobody"}),
    "lists hashes, ETags are md5": (Mirror(etag="md5"), {"hub"}),
}


@pytest.fixture(scope="module")
def truth(tiny_models, tmp_path_factory):
    """What plain loads from the real Hub."""
    from tests.support.machine import Machine

    with LocalHub(tiny_models) as hub:
        machine = Machine(tmp_path_factory.mktemp("truth") / "m", hub=hub)
        code = LOAD.partition("from ipfs_accelerate_py")[0]
        done = machine.run(code + "print(float(sum(e.double().sum() for e in model.parameters())))", hooked=False)
    return float(done.stdout.split()[-1])


def load(machine):
    done = machine.run(LOAD)
    assert done.returncode == 0, done.stderr
    total, vouched = json.loads(done.stdout.splitlines()[-1])
    words = {word for by in vouched.get(NAME, {}).values() for word in by}
    return total, words, done.stderr.count(UNVERIFIED)


def files_sent(hub):
    return [row for row in hub.log if row["method"] == "GET" and "/resolve/" in row["path"] and row["bytes"]]


@pytest.mark.parametrize("what", MIRRORS)
def test_a_mirror_that_lacks_words(what, truth, tiny_models, machine):
    mirror, vouchers = MIRRORS[what]
    with LocalHub(tiny_models, mirror=mirror, cdn="none") as hub:
        here = machine("a", hub=hub)
        total, words, lines = load(here)
        assert (total, words) == (truth, vouchers)
        assert lines == ("nobody" in vouchers)
        said = json.loads(here.hook("status", "--json").stdout)["vouched"][NAME]
        assert {word for by in said.values() for word in by} == vouchers
        sent = len(files_sent(hub))
        assert load(here)[0] == truth
        assert len(files_sent(hub)) == sent  # a second process asks for no bytes again


def test_bytes_that_were_changed_on_the_way_are_asked_for_once_more(truth, tiny_models, machine):
    with LocalHub(tiny_models, mirror=Mirror(query=False), cdn="none") as hub:
        hub.fault(match=r"GET .*model\.safetensors", corrupt=2000, times=1)
        assert load(machine("a", hub=hub))[:2] == (truth, {"hub"})


def test_what_is_not_what_the_hub_says_is_never_loaded(tiny_models, machine):
    with LocalHub(tiny_models, mirror=Mirror(query=False), lfs_threshold=1000) as hub:  # LFS: with an X-Linked-Etag
        hub.fault(match=r"GET .*(_blob|model\.safetensors)", corrupt=2000)
        done = machine("a", hub=hub).run(LOAD)
    assert done.returncode != 0 and "VerificationError" in done.stderr
