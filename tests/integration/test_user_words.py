"""The caller's arguments come first: cache folder, local folder, force_download; and damaged bytes never load."""

from __future__ import annotations

import hashlib
import os
import re
import shutil

import pytest

from tests.support.local_hub import LocalHub

from .probe import ask
from .repos import commit_of, make_repos

pytestmark = pytest.mark.lines
MODEL = "AutoModel.from_pretrained('acme/bert'{more})"
TOKENIZER = "AutoTokenizer.from_pretrained('acme/bert'{more})"


def lines(more=""):
    return {"model": MODEL.format(more=more), "tokenizer": TOKENIZER.format(more=more)}


@pytest.fixture(scope="module")
def folders(tiny_models, tmp_path_factory):
    return make_repos(tmp_path_factory.mktemp("repos"), tiny_models)


@pytest.fixture
def small_hub(folders):
    with LocalHub() as hub:
        hub.add("acme/bert", folders["bert"])
        hub.add("acme/own", folders["own"])
        yield hub


def good(outcomes):
    assert not outcomes.errors
    return {label: outcome.value for label, outcome in outcomes.items()}


def files(root):
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and ".locks" not in path.parts
    )


def test_a_cache_folder_of_the_callers_own(small_hub, machine):
    """It is filled as plain fills it, and plain reads it offline."""
    plain, hooked = machine("plain", hub=small_hub), machine("hooked", hub=small_hub)
    own, theirs = hooked.home / "own", plain.home / "own"
    expected = good(ask(plain, lines(f", cache_dir={str(theirs)!r}"), hooked=False))
    got = ask(hooked, lines(f", cache_dir={str(own)!r}") | {"again": MODEL.format(more=f", cache_dir={str(own)!r}")})
    assert good(got)["model"] == got["again"].value == expected["model"]
    wanted = [path for path in files(theirs) if "/.no_exist/" not in path and not path.endswith("/trees")]
    assert [path for path in wanted if path.startswith("models--") and path not in files(own)] == []
    assert {path.split("/")[0] for path in files(own)} <= {"models--acme--bert", "CACHEDIR.TAG"}
    snapshot = own / "models--acme--bert" / "snapshots" / commit_of(small_hub, "acme/bert")
    for path in snapshot.iterdir():
        assert path.is_symlink() and path.resolve().is_relative_to(own), "links lead out of the caller's folder"
    assert got["again"].requests == []
    read = f"""if True:
        import huggingface_hub, os
        found = huggingface_hub.try_to_load_from_cache("acme/bert", "model.safetensors", cache_dir={str(own)!r})
        print(os.path.getsize(found), len(huggingface_hub.scan_cache_dir({str(own)!r}).warnings))"""
    size = os.path.getsize(snapshot / "model.safetensors")
    assert hooked.run(read, hooked=False).stdout.split() == [str(size), "0"]
    offline = ask(plain, lines(f", cache_dir={str(own)!r}, local_files_only=True"), hooked=False)
    assert good(offline)["model"] == expected["model"]


def test_a_damaged_file_in_a_cache_folder_of_the_callers_own(small_hub, machine):
    """One changed byte in what plain had put there: it is put right, with the Hub; without it nothing loads."""
    plain, hooked = machine("plain", hub=small_hub), machine("hooked", hub=small_hub)
    own = hooked.home / "own"
    more = f", cache_dir={str(own)!r}"
    expected = good(ask(plain, lines(more), hooked=False))
    weights = next(own.glob("models--*/snapshots/*/model.safetensors")).resolve()
    right = weights.read_bytes()
    for hub in (None, small_hub):
        weights.write_bytes(right[:20_000] + bytes([right[20_000] ^ 1]) + right[20_001:])
        hooked.hub = hub
        outcome = ask(hooked, {"model": lines(more)["model"]})["model"]
        if hub is None:
            names_the_damage(outcome.error, "model.safetensors", hashlib.sha256(right).hexdigest())
        else:
            assert outcome.value == expected["model"]
    assert next(own.glob("models--*/snapshots/*/model.safetensors")).read_bytes() == right
    hooked.hub = None
    shutil.rmtree(hooked.store)
    assert good(ask(hooked, lines(more))) == expected, "a full folder is a source"


def test_a_local_folder_is_left_alone(small_hub, folders, machine):
    """A path, absolute or relative, also one that looks like a name: no request, nothing in the store."""
    plain, hooked = machine("plain", hub=small_hub), machine("hooked", hub=small_hub)
    seen = []
    for each in (plain, hooked):
        (each.home / "acme").mkdir()
        (each.home / "acme" / "bert").symlink_to(folders["second"])
        more = {"absolute": f"AutoModel.from_pretrained({str(folders['second'])!r})"}
        seen.append(ask(each, lines() | more, hooked=each is hooked))
    assert good(seen[0]) == good(seen[1])
    assert seen[1]["model"].value["config"]["dict"]["layer_norm_eps"] == 0.5
    assert seen[1].requests == []
    assert not list(hooked.store.glob("models--*"))


def test_force_download_downloads(small_hub, machine):
    """The bytes come from the Hub again, once, and a damaged file of ours is put right by it."""
    hooked = machine("hooked", hub=small_hub)
    first = good(ask(hooked, lines()))
    again = ask(hooked, lines(", force_download=True"))
    assert good(again) == first
    assert len([r for r in again["model"].requests if r.startswith("GET /_blob/")]) == 1
    assert len([r for r in again["tokenizer"].requests if "resolve" in r and r.startswith("GET")]) >= 3
    assert not [r for r in ask(hooked, lines()).requests if "/api/" not in r]


def test_code_of_a_repo_offline_and_again(small_hub, machine):
    """Code of a repo is loaded from the store: a second time with the Hub down, and offline."""
    hooked = machine("hooked", hub=small_hub)
    line = {"own": "AutoModel.from_pretrained('acme/own', trust_remote_code=True)"}
    first = good(ask(hooked, line))
    assert good(ask(hooked, line, env={"HF_HUB_OFFLINE": "1"})) == first
    hooked.hub = None
    assert good(ask(hooked, line)) == first
    assert list(hooked.store.glob("models--acme--own/snapshots/*/modeling_own.py"))


def names_the_damage(error, path, expected):
    text = error["text"]
    assert error["type"] == "ipfs_accelerate_py.errors.VerificationError"
    assert "acme/bert" in text and path in text and expected in text
    actual = set(re.findall(r"\b[0-9a-f]{40,64}\b", text)) - {expected}
    assert [digest for digest in actual if len(digest) == len(expected)], "what arrived instead"


def test_one_flipped_byte_never_loads(small_hub, folders, machine):
    """Weights and text, in one process and the next; once the Hub's answer is good again the same call loads."""
    hooked = machine("hooked", hub=small_hub)
    weights = hashlib.sha256((folders["bert"] / "model.safetensors").read_bytes()).hexdigest()
    small_hub.fault(match="GET /_blob/", corrupt=20_000)
    outcomes = ask(
        hooked,
        {"model": lines()["model"], "again": lines()["model"], "concrete": "BertModel.from_pretrained('acme/bert')"},
    )
    for outcome in outcomes.values():
        names_the_damage(outcome.error, "model.safetensors", weights)
    assert not list(hooked.store.glob(f"models--*/blobs/{weights}"))
    assert not list(hooked.store.glob("models--*/snapshots/*/model.safetensors"))
    assert not list(hooked.cache.glob("hub/models--*/snapshots/*/model.safetensors")), "the original call must not run"
    small_hub.faults.clear()
    text = (folders["bert"] / "vocab.txt").read_bytes()
    git_id = hashlib.sha1(b"blob %d\0" % len(text) + text).hexdigest()
    small_hub.fault(match="GET .*vocab.txt", corrupt=10)
    outcome = ask(hooked, {"tokenizer": lines()["tokenizer"]})["tokenizer"]
    names_the_damage(outcome.error, "vocab.txt", git_id)
    small_hub.faults.clear()
    assert good(ask(hooked, lines()))


def test_a_second_answer_that_is_good_loads(small_hub, machine):
    """A byte flipped on the way once: the Hub is asked again, and the file loads."""
    hooked = machine("hooked", hub=small_hub)
    small_hub.fault(match="GET /_blob/", corrupt=20_000, times=1)
    small_hub.fault(match="GET .*vocab.txt", corrupt=10, times=1)
    outcomes = ask(hooked, lines())
    assert not outcomes.errors
    assert len([r for r in outcomes["model"].requests if r.startswith("GET /_blob/")]) == 2
    plain = ask(machine("plain", hub=small_hub), lines(), hooked=False)
    assert outcomes["model"].value == plain["model"].value


def test_a_truncated_download_never_loads_half(small_hub, machine):
    """The connection breaks in the middle, once: the file is whole afterwards."""
    hooked = machine("hooked", hub=small_hub)
    small_hub.fault(match="GET /_blob/", truncate=10_000, times=1)
    assert good(ask(hooked, lines())) and list(hooked.store.glob("models--*/snapshots/*/model.safetensors"))
