"""The doors come late, leave nothing behind, and live beside other code that replaces the same functions."""

from __future__ import annotations

import pytest

from tests.support.machine import Machine

pytestmark = pytest.mark.lines

# A library that takes its names at import, as most do
LIBRARY = """
import huggingface_hub
from huggingface_hub import HfApi, hf_hub_download, model_info, snapshot_download
class Loader:
    def weights(self):
        return hf_hub_download("org/model", "unet/weights.safetensors")
def take():
    return hf_hub_download("org/model", "config.json")
def folder():
    return snapshot_download("org/model")
def sha():
    return model_info("org/model").sha
def api():
    return HfApi().hf_hub_download("org/model", "config.json")
"""
SERVED = 'say("served", lambda: sum(n["files"] for n in ipfs_accelerate_py.get_status()["served"].values()))\n'


@pytest.fixture
def library(machine: Machine) -> None:
    (machine.home / "taker.py").write_text(LIBRARY)


def test_names_that_were_taken_before_are_served_after(run, machine, library):
    found = run(
        """
sys.path.insert(0, "")
import taker
import ipfs_accelerate_py.auto_patch_transformers
say("take", lambda: os.path.exists(taker.take()))
say("weights", lambda: os.path.exists(taker.Loader().weights()))
say("sha", taker.sha)
say("folder", lambda: len(os.listdir(taker.folder())))
"""
        + SERVED,
        hooked=False,
        IPFS_ACCELERATE="1",
    )

    assert [found["take"], found["weights"], found["folder"], found["served"]] == [True, True, 3, 3]


SNAPSHOT = """
def everything():
    found = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith(("ipfs_accelerate_py", "_ipfs", "__main__")):
            for attribute, value in list(vars(module).items() if type(vars(module)) is dict else ()):
                if callable(value) and str(getattr(value, "__module__", "")).startswith("huggingface_hub"):
                    found[name, attribute] = value
    for owner in (HfApi, HfFileSystem):
        found.update({(owner.__name__, attribute): value for attribute, value in vars(owner).items()})
    return found
"""


@pytest.mark.parametrize("late", [True, False])
def test_restore_leaves_every_name_as_it_was(run, machine, library, late):
    found = run(
        f"""
sys.path.insert(0, "")
{SNAPSHOT}
import huggingface_hub.hf_file_system, huggingface_hub._snapshot_download, huggingface_hub._commit_api
if {late}:
    import taker
    plain = everything()
    import ipfs_accelerate_py.auto_patch_transformers
    ipfs_accelerate_py.auto_patch_transformers.apply()
else:
    import ipfs_accelerate_py.auto_patch_transformers
    ipfs_accelerate_py.auto_patch_transformers.disable()
    plain = everything()
    ipfs_accelerate_py.auto_patch_transformers.apply()
    import taker
say("changed", lambda: sum(everything()[each] is not plain[each] for each in plain))
taker.take()
ipfs_accelerate_py.auto_patch_transformers.restore()
now = everything()
say("left", lambda: [str(each) for each in plain if now[each] is not plain[each]])
say("taker", lambda: [taker.hf_hub_download is huggingface_hub.file_download.hf_hub_download,
                      taker.model_info is huggingface_hub.hf_api.model_info,
                      taker.model_info.__func__ is HfApi.model_info,
                      "ipfs" not in taker.hf_hub_download.__code__.co_filename])
""",
        hooked=False,
        IPFS_ACCELERATE="1",
    )

    assert found["left"] == []
    assert found["taker"] == [True] * 4
    assert not late or found["changed"] > 10


def test_the_functions_look_like_the_originals(run):
    look = """
import inspect, pickle, re
FUNCTIONS = [hf_hub_download, snapshot_download, try_to_load_from_cache, huggingface_hub.model_info,
             HfApi.model_info, HfApi.list_repo_tree, HfApi.file_exists, HfFileSystem._open, HfFileSystem.get_file]
def look(each):
    return [re.sub("0x[0-9a-f]+", "", str(inspect.signature(each))), each.__name__, each.__qualname__,
            each.__module__, (each.__doc__ or "")[:50],
            type(each).__name__, repr(each).split(" at ")[0],
            inspect.getsource(each)[:80]]
say("look", lambda: [look(each) for each in FUNCTIONS])
say("pickle", lambda: [pickle.loads(pickle.dumps(each)) is each for each in FUNCTIONS[:3]])
say("api", lambda: type(pickle.loads(pickle.dumps(HfApi()))).__name__)
"""
    assert run(look) == run(look, hooked=False)


def test_a_program_that_never_calls_imports_nothing_of_ours_that_is_heavy(run):
    found = run("""
import huggingface_hub.hf_api, huggingface_hub.hf_file_system
say("heavy", lambda: [name for name in ("wrapt", "ipfs_accelerate_py.storage_wrapper", "ipfs_accelerate_py.fetch",
                                        "transformers") if name in sys.modules])
say("on", lambda: "ipfs_accelerate_py" in sys.modules)
""")

    assert found == {"heavy": [], "on": True}


@pytest.mark.parametrize("wrapped", ["before", "after"])
def test_another_who_wraps_the_same_function(run, machine, wrapped):
    """With `functools.wraps` and without; the download inside of ours does not come back to us through theirs."""
    theirs = """
from huggingface_hub import file_download
calls = []
def put_over(keep):
    inner = file_download.hf_hub_download
    def outer(*args, **kwargs):
        calls.append(keep)
        return inner(*args, **kwargs)
    if keep:
        import functools
        functools.update_wrapper(outer, inner)
    file_download.hf_hub_download = huggingface_hub.hf_hub_download = outer
    return outer
"""
    put = "theirs = [put_over(True), put_over(False)]\n"
    ours = "import ipfs_accelerate_py\nipfs_accelerate_py.auto_patch_transformers.apply()\n"
    found = run(
        theirs
        + (put + ours if wrapped == "before" else ours + put)
        + 'say("file", lambda: os.path.getsize(huggingface_hub.hf_hub_download(MODEL, WEIGHTS)))\n'
        + 'say("theirs", lambda: len(calls) >= 2)\n'
        + SERVED
        + "ipfs_accelerate_py.auto_patch_transformers.restore()\n"
        + 'say("left", lambda: file_download.hf_hub_download is theirs[-1])\n',
        hooked=False,
        IPFS_ACCELERATE="1",
    )

    print(run.stderr)
    assert [found["file"], found["theirs"], found["served"], found["left"]] == [1 << 20, True, 1, True]


def test_another_who_replaces_the_clients_private_download(run):
    """As a trainer's studio does, with one of its own."""
    found = run("""
from huggingface_hub import file_download
inner, calls = file_download._download_to_tmp_and_move, []
def outer(*args, **kwargs):
    calls.append(1)
    return inner(*args, **kwargs)
file_download._download_to_tmp_and_move = outer
say("file", lambda: os.path.getsize(hf_hub_download(MODEL, WEIGHTS)))
say("theirs", lambda: len(calls))
""")

    assert [found["file"], found["theirs"]] == [1 << 20, 1]


@pytest.mark.parametrize("version", ["0.33.1", "3.0.0"])
def test_an_untested_version_is_said_once(run, version):
    found = run(f"""
import importlib
import ipfs_accelerate_py.auto_patch_transformers
ipfs_accelerate_py.auto_patch_transformers.disable()
huggingface_hub.__version__ = {version!r}
ipfs_accelerate_py.auto_patch_transformers.apply()
ipfs_accelerate_py.auto_patch_transformers.restore()
ipfs_accelerate_py.auto_patch_transformers.apply()
say("file", lambda: os.path.getsize(huggingface_hub.hf_hub_download(MODEL, WEIGHTS)))
""")

    assert found["file"] == 1 << 20
    assert run.stderr.count(f"huggingface_hub {version} is outside the tested range 0.34 to below 3.0") == 1
