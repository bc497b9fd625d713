"""A revision that was resolved for another repo means what it means to plain: that commit."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines

CALLS = """
if hasattr(huggingface_hub, "resolve_revision"):
    other = huggingface_hub.resolve_revision("org/data", repo_type="dataset")
    say("file", lambda: hf_hub_download(MODEL, "config.json", revision=other))
    say("snapshot", lambda: snapshot_download(MODEL, revision=other))
"""


def test_of_another_repo(run):
    found, plain = (run(CALLS, hooked=hooked) for hooked in (True, False))

    assert {name: value[2] for name, value in found.items()} == {name: value[2] for name, value in plain.items()}


def test_the_names_of_a_kept_commit_are_listed_without_a_question(run, hub):
    """Those of LFS files, too, of which `list_repo_tree` has to ask the Hub for what is said beside a name."""
    code = """
snapshot_download(MODEL)
sha = HfApi().model_info(MODEL).sha
both = [HfApi().list_repo_files, huggingface_hub.list_repo_files]
say("commit", lambda: [names(MODEL, revision=sha) for names in both])
"""
    plain = run(code, hooked=False)
    hub.log.clear()
    found = run(code)

    assert found == plain and "unet/weights.safetensors" in found["commit"][0]
    assert not [row["path"] for row in hub.log if "/tree/" in row["path"]]


def test_the_names_of_a_branch_are_asked_for_each_time(run, hub):
    run("""
snapshot_download(MODEL)
say("names", lambda: [HfApi().list_repo_files(MODEL) for time in range(2)])
""")

    assert len([row for row in hub.log if "/tree/main" in row["path"]]) == 2


def test_a_token_that_the_hub_does_not_know_is_refused_as_by_plain(run):
    code = """
snapshot_download(MODEL)
sha = HfApi().model_info(MODEL).sha
for name in ("list_repo_files", "list_repo_tree", "file_exists", "get_paths_info"):
    more = {"file_exists": ["config.json"], "get_paths_info": ["config.json"]}.get(name, [])
    say(name, lambda: list(getattr(HfApi(), name)(MODEL, *more, revision=sha, token="hf_wrong")))
"""
    found, plain = (run(code, hooked=hooked) for hooked in (True, False))

    assert {name: value[0] for name, value in found.items()} == {name: value[0] for name, value in plain.items()}
    assert found.keys() == {"list_repo_files", "list_repo_tree", "file_exists", "get_paths_info"}
