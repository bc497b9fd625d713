"""What is here is served while the Hub is down, in each kind of down, as while it is well."""

from __future__ import annotations

import pytest

from tests.support.machine import Machine

pytestmark = pytest.mark.lines

CALLS = """
say("file", lambda: open(hf_hub_download(MODEL, "config.json")).read())
say("weights", lambda: os.path.getsize(hf_hub_download(MODEL, "weights.safetensors", subfolder="./unet")))
say("missing", lambda: hf_hub_download(MODEL, "nope.json"))
say("snapshot", lambda: sorted(os.listdir(snapshot_download(MODEL))))
say("chosen", lambda: sorted(os.listdir(snapshot_download(MODEL, allow_patterns="*.md"))))
say("local_dir", lambda: os.path.getsize(hf_hub_download(MODEL, WEIGHTS, local_dir="here")))
say("local snapshot", lambda: sorted(os.listdir(snapshot_download(MODEL, local_dir="there"))))
say("dataset", lambda: open(hf_hub_download("org/data", "train.csv", repo_type="dataset")).read())
say("space", lambda: open(hf_hub_download("org/app", "app.py", repo_type="space")).read())
say("cached", lambda: os.path.basename(try_to_load_from_cache(MODEL, "config.json")))
say("info", lambda: HfApi().model_info(MODEL).sha)
say("words", lambda: [getattr(HfApi().model_info(MODEL), name) for name in ("private", "gated")])
say("space words", lambda: getattr(HfApi().space_info("org/app"), "private"))
say("twin", lambda: huggingface_hub.model_info(MODEL).sha)
say("dataset info", lambda: [each.rfilename for each in huggingface_hub.dataset_info("org/data").siblings])
say("space info", lambda: huggingface_hub.space_info("org/app").id)
say("exists", lambda: [HfApi().file_exists(MODEL, name) for name in ("config.json", "nope")])
say("repo exists", lambda: [HfApi().repo_exists(MODEL), HfApi().revision_exists(MODEL, "main")])
say("files", lambda: HfApi().list_repo_files(MODEL))
say("tree", lambda: [type(row).__name__ + row.path for row in HfApi().list_repo_tree(MODEL)])
say("deep", lambda: sorted(row.path for row in HfApi().list_repo_tree(MODEL, recursive=True)))
say("below", lambda: [row.path for row in HfApi().list_repo_tree(MODEL, "unet")])
say("no folder", lambda: list(HfApi().list_repo_tree(MODEL, "nope")))
say("paths", lambda: [type(row).__name__ for row in HfApi().get_paths_info(MODEL, ["config.json", "unet", "x"])])
say("fs", lambda: HfFileSystem().ls(MODEL, detail=False))
say("open", lambda: HfFileSystem().open(f"{MODEL}/config.json").read().decode())
say("range", lambda: HfFileSystem().open(f"{MODEL}/{WEIGHTS}").read(5).hex())
say("get", lambda: [HfFileSystem().get_file(f"{MODEL}/config.json", "got"), os.path.getsize("got")])
"""
# Where plain would read the file anew, an error's text has an id of the request
UNLIKE = ("missing", "no folder")

DOWN = {
    "refusing": None,
    "hanging": {"hang": True},
    "503": {"status": 503},
    "a page of another": {"html": "<html>sign in</html>", "status": 502},
}


@pytest.mark.parametrize("down", DOWN)
def test_all_is_answered_as_while_the_hub_was_well(run, hub, machine, down):
    run(CALLS)
    well = run(CALLS)
    if DOWN[down] is None:
        hub.stop()
    else:
        hub.fault(**DOWN[down])

    found = run(CALLS)

    assert {name: found[name] for name in well if name not in UNLIKE} == {
        name: well[name] for name in well if name not in UNLIKE
    }
    for name in UNLIKE:  # the same class, and the file's address
        assert (found[name][0], found[name][2]) == (well[name][0], well[name][2])
    assert sum(run.seconds.values()) < 20  # a client that waits or retries takes 23 s for one call


@pytest.mark.parametrize("down", ["refusing", "hanging"])
def test_plain_finds_everything_that_was_served(run, hub, machine, down):
    served = run(CALLS)
    hub.stop() if down == "refusing" else hub.fault(hang=True)

    found = run(
        """
say("file", lambda: open(hf_hub_download(MODEL, "config.json")).read())
say("snapshot", lambda: sorted(os.listdir(snapshot_download(MODEL))))
say("dataset", lambda: open(hf_hub_download("org/data", "train.csv", repo_type="dataset")).read())
say("known", lambda: try_to_load_from_cache(MODEL, "nope.json") is huggingface_hub._CACHED_NO_EXIST)
say("scan", lambda: sorted(repo.repo_type for repo in huggingface_hub.scan_cache_dir().repos))
say("warnings", lambda: [str(each) for each in huggingface_hub.scan_cache_dir().warnings])
""",
        hooked=False,
        HF_HUB_OFFLINE="1",
    )

    assert [found["file"], found["snapshot"], found["dataset"]] == [
        served["file"],
        served["snapshot"],
        served["dataset"],
    ]
    assert found["known"] is True
    assert found["scan"] == ["dataset", "model", "space"]
    assert found["warnings"] == []


@pytest.mark.parametrize("meta", [{"private": True, "allow": ["alice"]}, {"gated": "manual", "allow": ["alice"]}])
def test_which_kind_of_closed_a_repo_is_is_not_made_up(run, hub, meta):
    hub.tokens["hf_alice"] = "alice"
    hub.repos["models", "org/model"].meta.update(meta)
    run('say("file", lambda: hf_hub_download(MODEL, "config.json"))', HF_TOKEN="hf_alice")
    hub.stop()

    found = run(
        'say("words", lambda: [getattr(HfApi().model_info(MODEL), name) for name in ("private", "gated")])\n'
        'say("counts", lambda: [getattr(HfApi().model_info(MODEL), name) for name in ("downloads", "likes")])',
        HF_TOKEN="hf_alice",
    )

    assert found == {"words": [None, None], "counts": [None, None]}


def test_bytes_that_do_not_come_are_asked_for_as_often_as_plain_asks(run, machine, hub, tmp_path):
    hub.fault(match="/_blob/", reset=True)
    plain, asked, said = Machine(tmp_path / "plain", hub=hub, HF_HUB_DISABLE_PROGRESS_BARS="1"), {}, {}

    for each in (plain, machine):
        hub.log.clear()
        code = 'hf_hub_download(MODEL, "config.json")\nsay("weights", lambda: hf_hub_download(MODEL, WEIGHTS))\n'
        found = run(code, on=each, hooked=each is machine)["weights"]
        said[each], asked[each] = (found[0], found[2]), sum("/_blob/" in row["path"] for row in hub.log)

    assert said[machine] == said[plain]
    assert asked[machine] <= asked[plain]
