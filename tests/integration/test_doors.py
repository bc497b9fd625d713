"""Every way that transformers loads something goes through the store, and gives what plain transformers gives."""

from __future__ import annotations

import re

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .probe import ask
from .repos import commit_of, make_repos

pytestmark = pytest.mark.lines

# label -> (which files the repo has, the user's line); each line has a repo of its own
LOADS = {
    "AutoConfig": ("bert", "AutoConfig.from_pretrained({repo!r}{more})"),
    "AutoTokenizer": ("bert", "AutoTokenizer.from_pretrained({repo!r}{more})"),
    "AutoModel": ("bert", "AutoModel.from_pretrained({repo!r}{more})"),
    "by keyword": ("bert", "AutoModel.from_pretrained(pretrained_model_name_or_path={repo!r}{more})"),
    "AutoModelForMaskedLM": ("bert", "AutoModelForMaskedLM.from_pretrained({repo!r}{more})"),
    "AutoModelForCausalLM": ("gpt2", "AutoModelForCausalLM.from_pretrained({repo!r}{more})"),
    "AutoModelForSequenceClassification": (
        "bert",
        "AutoModelForSequenceClassification.from_pretrained({repo!r}{more})",
    ),
    "GenerationConfig": ("gpt2", "GenerationConfig.from_pretrained({repo!r}{more})"),
    "AutoImageProcessor": ("vit", "AutoImageProcessor.from_pretrained({repo!r}{more})"),
    "AutoFeatureExtractor": ("speech", "AutoFeatureExtractor.from_pretrained({repo!r}{more})"),
    "AutoProcessor": ("speech", "AutoProcessor.from_pretrained({repo!r}{more})"),
    "AutoProcessor of a tokenizer": ("bert", "AutoProcessor.from_pretrained({repo!r}{more})"),
    "BertModel": ("bert", "BertModel.from_pretrained({repo!r}{more})"),
    "BertTokenizerFast": ("bert", "BertTokenizerFast.from_pretrained({repo!r}{more})"),
    "BertConfig": ("bert", "BertConfig.from_pretrained({repo!r}{more})"),
    "pipeline": ("bert", "pipeline('feature-extraction', {repo!r}{more})"),
    "subclass of BertModel": ("bert", "OwnModel.from_pretrained({repo!r}{more})"),
    "subclass of AutoModel": ("bert", "OwnAuto.from_pretrained({repo!r}{more})"),
    "shards": ("sharded", "AutoModel.from_pretrained({repo!r}{more})"),
}
CLASSES = """
from transformers import AutoModel, BertModel

class OwnModel(BertModel):
    pass

class OwnAuto(AutoModel):
    pass
"""
# `local_files_only` is no argument of pipeline()
NOT_PIPELINE = [label for label in LOADS if "pipeline" not in label]


def repo_of(label):
    return f"acme/{label.replace(' ', '-').lower()}"


def lines(more="", labels=LOADS):
    return {label: LOADS[label][1].format(repo=repo_of(label), more=more) for label in labels}


@pytest.fixture(scope="module")
def full_hub(tiny_models, tmp_path_factory):
    """A Hub with a repo per label."""
    folders = make_repos(tmp_path_factory.mktemp("repos"), tiny_models)
    with LocalHub() as hub:
        for label, (kind, _) in LOADS.items():
            hub.add(repo_of(label), folders[kind], meta={"tags": ["transformers", "pytorch"]})
        yield hub


@pytest.fixture(scope="module")
def plain(full_hub, tmp_path_factory):
    """A machine without the hook, and what the lines gave there."""
    machine = Machine(tmp_path_factory.mktemp("plain") / "m", hub=full_hub)
    return machine, ask(machine, lines(), CLASSES, hooked=False)


@pytest.fixture(scope="module")
def cold(full_hub, plain, tmp_path_factory):
    """A machine with the hook, and what the lines gave there on empty caches."""
    machine = Machine(tmp_path_factory.mktemp("hooked") / "m", hub=full_hub)
    return machine, ask(machine, lines(), CLASSES)


def same(outcomes, machine, plain):
    """Per label what was seen, and what plain gave; tokenizers say where their files are, and how they were asked."""
    folder = (re.escape(str(machine.store)), str(plain[0].cache / "hub"))
    seen = outcomes.seen(replaced=[folder, ('"local_files_only": "True"', '"local_files_only": "False"')])
    expected = plain[1].seen()
    return {label: (seen[label], expected[label]) for label in seen}


def snapshot(root, label):
    """The files of the one commit that a cache folder has of a repo, with their blobs' names."""
    folder = root / f"models--{repo_of(label).replace('/', '--')}"
    files = [path for path in folder.glob("snapshots/*/**/*") if path.is_file()]
    return {path.name: path.resolve().name for path in files if path.resolve().stat().st_size}


@pytest.mark.parametrize("label", LOADS)
def test_cold_load(label, plain, cold):
    """Same result, the same files, all of them the store's, and no idle request."""
    machine, outcomes = cold
    seen, expected = same(outcomes, machine, plain)[label]
    assert expected[1] is None
    assert seen == expected
    needed = snapshot(plain[0].cache / "hub", label)
    got = snapshot(machine.store, label)
    assert needed and {name: got.get(name) for name in needed} == needed
    assert set(got) - set(needed) <= {"config.json"}, "files that nobody asked for"
    assert not machine.copies()
    requests = outcomes[label].requests
    assert len([r for r in requests if "/api/" in r]) == 1
    downloads = [r.partition("?")[0] for r in requests if r.startswith("GET") and "/api/" not in r]
    assert len(downloads) == len(set(downloads)) == len(got)


@pytest.fixture
def warm(cold):
    return cold[0]


def check_all(outcomes, machine, plain, requests):
    assert not outcomes.errors
    for label, (seen, expected) in same(outcomes, machine, plain).items():
        assert seen == expected, label
    assert not {label: outcome.requests for label, outcome in outcomes.items() if len(outcome.requests) > requests}


def test_warm_loads_cost_one_request(warm, plain):
    check_all(ask(warm, lines(), CLASSES), warm, plain, 1)


def test_warm_loads_of_a_commit_cost_none(warm, plain, full_hub):
    pinned = {}
    for label in LOADS:
        pinned |= lines(f", revision={commit_of(full_hub, repo_of(label))!r}", [label])
    check_all(ask(warm, pinned, CLASSES), warm, plain, 0)


def test_offline_means_no_request(warm, plain):
    check_all(ask(warm, lines(), CLASSES, env={"HF_HUB_OFFLINE": "1"}), warm, plain, 0)


def test_local_files_only_means_no_request(warm, plain):
    outcomes = ask(warm, lines(", local_files_only=True", NOT_PIPELINE), CLASSES)
    assert outcomes.requests == []
    for label, (seen, expected) in same(outcomes, warm, plain).items():
        assert seen == expected, label


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "retry_after": 5},
        {"status": 401},
        {"status": 401, "code": "RepoNotFound"},
        {"reset": True},
        {"hang": True},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_warm_loads_with_an_unwell_hub(fault, warm, plain, full_hub):
    """Right results, and nobody waits: plain takes 20 to 120 s for each of these lines, or fails."""
    full_hub.fault(**fault)
    try:
        outcomes = ask(warm, lines(), CLASSES)
    finally:
        full_hub.faults.clear()
    # the API, and where that is of no use one file's header, which names the commit of the branch, as plain hears it
    check_all(outcomes, warm, plain, 2)
    assert sum(outcome.seconds for outcome in outcomes.values()) < 10


def test_warm_loads_while_the_hub_refuses(warm, plain, full_hub):
    warm.hub = None
    try:
        outcomes = ask(warm, lines(), CLASSES)
    finally:
        warm.hub = full_hub
    check_all(outcomes, warm, plain, 0)
    assert sum(outcome.seconds for outcome in outcomes.values()) < 10


def test_the_hub_clients_own_cache_serves(plain, tmp_path):
    """A machine whose Hub cache is full loads offline without a byte downloaded; that cache stays as it was."""
    machine = Machine(tmp_path / "m", HF_HUB_CACHE=str(plain[0].cache / "hub"))
    before = sorted(map(str, (plain[0].cache / "hub").rglob("*")))
    outcomes = ask(machine, lines(), CLASSES, env={"HF_HUB_OFFLINE": "1"})
    check_all(outcomes, machine, plain, 0)
    assert sorted(map(str, (plain[0].cache / "hub").rglob("*"))) == before
