"""Private and gated repos: a caller that the Hub refuses meets that refusal, while it answers."""

from __future__ import annotations

import json

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

pytestmark = pytest.mark.lines

CALLS = """
say("file", lambda: hf_hub_download(MODEL, "config.json") and "given")
say("missing", lambda: hf_hub_download(MODEL, "nope") and "given")
say("snapshot", lambda: snapshot_download(MODEL) and "given")
say("info", lambda: HfApi().model_info(MODEL).private)
say("files", lambda: HfApi().list_repo_files(MODEL))
say("exists", lambda: HfApi().file_exists(MODEL, "config.json"))
say("token", lambda: hf_hub_download(MODEL, "config.json", token="hf_alice") and "given")
say("api", lambda: HfApi(token="hf_alice").hf_hub_download(MODEL, "config.json") and "given")
say("words", lambda: HfApi(token="hf_alice").model_info(MODEL).private)
"""


@pytest.mark.parametrize("meta", [{"private": True, "allow": ["alice"]}, {"gated": "manual", "allow": ["alice"]}])
@pytest.mark.parametrize("token", [None, "hf_alice", "hf_bob"])
def test_cold_it_is_as_plain(repos, tmp_path, run, meta, token):
    (repos / "org" / "model" / "hub.json").write_text(json.dumps(meta))
    said = {}
    with LocalHub(repos, tokens={"hf_alice": "alice", "hf_bob": "bob"}, lfs_threshold=1000) as hub:
        for hooked in (True, False):
            machine = Machine(tmp_path / f"machine-{hooked}", hub=hub, HF_HUB_DISABLE_PROGRESS_BARS="1")
            env = {"HF_TOKEN": token} if token else {}
            said[hooked] = run(CALLS, on=machine, hooked=hooked, **env)

    assert {name: _kind(value) for name, value in said[True].items()} == {
        name: _kind(value) for name, value in said[False].items()
    }


@pytest.mark.parametrize("meta", [{"private": True, "allow": ["alice"]}, {"gated": "manual", "allow": ["alice"]}])
def test_what_one_user_has_loaded_is_not_another_ones(repos, tmp_path, run, meta):
    """In places of their own, on one machine with one store, while the Hub answers."""
    (repos / "org" / "model" / "hub.json").write_text(json.dumps(meta))
    places = """
commit = HfApi(token="hf_alice").model_info(MODEL).sha
for token in ("hf_bob", False):
    for name, revision in (("main", None), ("commit", commit)):
        place = f"{token} {name}"
        asked = dict(revision=revision, token=token)
        say(f"cache {place}", lambda: hf_hub_download(MODEL, "config.json", cache_dir=place, **asked))
        say(f"local {place}", lambda: hf_hub_download(MODEL, "config.json", local_dir=place, **asked))
        say(f"all {place}", lambda: snapshot_download(MODEL, local_dir=place + " all", **asked))
    say(f"fs {token}", lambda: HfFileSystem(token=token).cat(f"{MODEL}/config.json").decode())
"""
    with LocalHub(repos, tokens={"hf_alice": "alice", "hf_bob": "bob"}, lfs_threshold=1000) as hub:
        machine = Machine(tmp_path / "shared", hub=hub, HF_HUB_DISABLE_PROGRESS_BARS="1")
        mine = run('say("mine", lambda: len(os.listdir(snapshot_download(MODEL, token="hf_alice"))))', on=machine)
        found = run(places, on=machine)

    assert mine["mine"] == 3
    assert [name for name, value in found.items() if not isinstance(value, list)] == []


def _kind(value):
    """A result, or the classes of an error."""
    return value[2] if isinstance(value, list) and len(value) == 3 and isinstance(value[2], list) else value
