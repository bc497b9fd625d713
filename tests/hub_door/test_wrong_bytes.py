"""Bytes that are not the file's never come out of a door, and the refusal cannot be passed over."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.machine import Machine
from tests.support.model import tiny_model
from tests.support.small_server import serve

from .conftest import FILES, MODEL, WEIGHTS

pytestmark = pytest.mark.lines

DOORS = {
    "hf_hub_download": "hf_hub_download(MODEL, WEIGHTS)",
    "HfApi": "HfApi().hf_hub_download(MODEL, WEIGHTS)",
    "snapshot_download": "snapshot_download(MODEL)",
    "a file of a snapshot": 'snapshot_download(MODEL, allow_patterns="unet/*")',
    "local_dir": 'hf_hub_download(MODEL, WEIGHTS, local_dir="here")',
    "a snapshot's local_dir": 'snapshot_download(MODEL, local_dir="here")',
    "cache_dir": 'hf_hub_download(MODEL, WEIGHTS, cache_dir="mine")',
    "get_file": 'HfFileSystem().get_file(f"{MODEL}/{WEIGHTS}", "here/file")',
}

# The digests of what the doors have left of the file, under either name
READ = (
    "sorted({__import__('hashlib').sha256(open(os.path.join(folder, name), 'rb').read()).hexdigest() "
    "for folder, _, names in os.walk('.') for name in names if name in ('weights.safetensors', 'file')})"
)


@pytest.mark.parametrize("door", DOORS)
def test_a_flipped_byte_is_refused_and_nothing_is_left(run, hub, machine, door):
    hub.fault(match=r"^GET .*(weights|cdn|blob)", corrupt=500_000)

    found = run(f'os.makedirs("here")\nsay("door", lambda: {DOORS[door]})')

    assert found["door"][0] == "VerificationError"
    assert "unet/weights.safetensors" in found["door"][1]
    assert not list(machine.home.rglob("weights.safetensors"))
    assert not (machine.home / "here" / "file").exists()


def test_a_library_that_passes_over_the_error_meets_it_again(run, hub):
    fault = hub.fault(match=r"^GET .*(weights|cdn|blob)", corrupt=500_000)

    found = run("""
say("weights", lambda: hf_hub_download(MODEL, WEIGHTS))
say("instead", lambda: hf_hub_download(MODEL, "unet/weights.bin"))
say("other", lambda: hf_hub_download(MODEL, "config.json"))
""")

    assert [found[name][0] for name in found] == ["VerificationError"] * 3
    assert all("unet/weights.safetensors" in found[name][1] for name in found)
    hub.faults.remove(fault)


def test_once_the_file_is_right_nothing_stands_in_the_way(run, hub):
    hub.fault(match=r"^GET .*(weights|cdn|blob)", corrupt=500_000, times=4)  # asked for twice, with a redirect each

    found = run("""
say("wrong", lambda: hf_hub_download(MODEL, WEIGHTS))
say("right", lambda: os.path.getsize(hf_hub_download(MODEL, WEIGHTS)))
say("other", lambda: os.path.getsize(hf_hub_download(MODEL, "config.json")))
""")

    assert found["wrong"][0] == "VerificationError"
    assert [found["right"], found["other"]] == [1 << 20, 9]


@pytest.mark.parametrize("call", ["hf_hub_download(MODEL, WEIGHTS)", "snapshot_download(MODEL) + '/' + WEIGHTS"])
def test_a_file_damaged_in_the_users_cache_is_not_handed_out(run, machine, call):
    run('say("plain", lambda: hf_hub_download(MODEL, WEIGHTS))', hooked=False)
    (blob,) = (machine.cache / "hub" / "models--org--model" / "blobs").iterdir()
    damaged = bytearray(blob.read_bytes())
    damaged[77] ^= 1
    blob.write_bytes(damaged)

    found = run(f'say("bytes", lambda: open({call}, "rb").read().hex())')

    assert bytes.fromhex(found["bytes"]) == bytes(range(256)) * 4096


def test_transformers_meets_what_another_library_has_passed_over(run, hub, repos):
    """One that loads its weights itself, passes over their refusal, and asks transformers for the rest of the repo."""
    hub.fault(match=r"^GET .*(weights|cdn|blob)", corrupt=500_000)

    found = run("""
from transformers import AutoConfig
say("weights", lambda: hf_hub_download(MODEL, WEIGHTS))
say("rest", lambda: AutoConfig.from_pretrained(MODEL))
""")

    assert [found[name][0] for name in found] == ["VerificationError"] * 2
    assert "unet/weights.safetensors" in found["rest"][1]


def test_transformers_names_the_file_for_whose_lack_it_failed(run, hub, tmp_path):
    """Without its tokenizer it has nothing to make a processor of, and says that."""
    tiny_model(tmp_path / "models", "org/words", "bert")
    hub.add("org/words", str(tmp_path / "models/org/words"))
    hub.fault(match=r"^GET .*tokenizer.json", corrupt=5)

    found = run(
        'from transformers import AutoProcessor\nsay("load", lambda: AutoProcessor.from_pretrained("org/words"))'
    )

    assert found["load"][0] == "VerificationError"
    assert "org/words: tokenizer.json" in found["load"][1]


def test_a_look_into_the_cache_does_not_show_what_was_changed_there(run):
    found = run("""
path = hf_hub_download(MODEL, WEIGHTS)
with open(os.path.realpath(path), "r+b") as file:
    file.write(b"changed")
say("shown", lambda: try_to_load_from_cache(MODEL, WEIGHTS))
say("anew", lambda: open(hf_hub_download(MODEL, WEIGHTS), "rb").read().hex())
say("again", lambda: try_to_load_from_cache(MODEL, WEIGHTS) == path)
""")

    assert found["shown"] is None
    assert bytes.fromhex(found["anew"]) == bytes(range(256)) * 4096
    assert found["again"] is True


@pytest.mark.parametrize("door", DOORS)
def test_by_xet_a_file_comes_and_a_flipped_byte_does_not(run, hub, tmp_path, door):
    hub.xet = True
    right, wrong = (Machine(tmp_path / name, hub=hub) for name in ("right", "wrong"))
    code = f'os.makedirs("here")\nsay("door", lambda: {DOORS[door]} and 1)'

    assert run(code, on=right)["door"] in (1, None)
    assert any("/_xet/xorb/" in row["path"] for row in hub.log)

    hub.fault(match="GET /_xet/xorb/", corrupt=500_000)
    found = run(code, on=wrong)

    assert found["door"][0] == "VerificationError"
    assert WEIGHTS in found["door"][1]
    assert not list(wrong.home.rglob("weights.safetensors"))


@pytest.mark.parametrize("door", DOORS)
def test_a_server_of_the_fleet_that_flips_a_byte(run, hub, tmp_path, door):
    """The Hub gives the right bytes; where it cannot, the load is refused."""
    data, asked = bytearray(FILES[f"{MODEL}/{WEIGHTS}"]), []
    data[500_000] ^= 1

    def answer(path, headers):
        asked.append(path)
        return (200, {}, bytes(data)) if path.endswith(WEIGHTS) else (404, {}, b"")

    code = f'os.makedirs("here")\nsay("door", lambda: {DOORS[door]} and 1)\nsay("file", lambda: {READ})'
    with serve(answer) as url:
        first, second = (
            Machine(tmp_path / name, hub=hub, IPFS_ACCELERATE_MIRRORS=url, IPFS_ACCELERATE_NODE="off")
            for name in ("first", "second")
        )
        found = run(code, on=first)
        assert found["door"] in (1, None)
        assert found["file"] == [hashlib.sha256(FILES[f"{MODEL}/{WEIGHTS}"]).hexdigest()]
        assert [path for path in asked if path.endswith(WEIGHTS)]

        hub.fault(match=f"resolve.*{WEIGHTS}", status=404)
        found = run(code, on=second)
        assert found["door"][0] == "VerificationError"
        assert WEIGHTS in found["door"][1] and found["file"] == []
