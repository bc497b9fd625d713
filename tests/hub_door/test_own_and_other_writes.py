"""A program meets what it has written, and another's commit as early as plain does."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines

TOKEN = {"HF_TOKEN": "hf_test", "HF_HUB_DISABLE_XET": "1"}
WRITES = """
api = HfApi()
seen = []
def look(text):
    sha = api.model_info(MODEL).sha
    seen.append([open(hf_hub_download(MODEL, "note.txt")).read() == text, sha == api.repo_info(MODEL).sha,
                 "note.txt" in api.list_repo_files(MODEL), api.file_exists(MODEL, "note.txt"),
                 os.path.exists(os.path.join(snapshot_download(MODEL), "note.txt"))])
    return sha
say("before", lambda: [api.file_exists(MODEL, "note.txt"), hf_hub_download(MODEL, "config.json") and 1])
sha = None
for number in range(3):
    api.upload_file(path_or_fileobj=str(number).encode(), path_in_repo="note.txt", repo_id=MODEL, parent_commit=sha)
    sha = look(str(number))
say("seen", lambda: seen)
api.create_branch(MODEL, branch="mine")
say("branch", lambda: open(hf_hub_download(MODEL, "note.txt", revision="mine")).read())
api.delete_file("note.txt", MODEL)
say("gone", lambda: hf_hub_download(MODEL, "note.txt"))
say("files", lambda: api.list_repo_files(MODEL))
"""


def test_own_writes_are_read_at_once(run, hub):
    said = {hooked: run(WRITES, hooked=hooked, **TOKEN) for hooked in (True,)}[True]

    assert said["before"] == [False, 1]
    assert said["seen"] == [[True] * 5] * 3
    assert said["branch"] == "2"
    assert said["gone"][0] in ("RemoteEntryNotFoundError", "EntryNotFoundError")
    assert "note.txt" not in said["files"]


def test_writes_to_a_dataset_are_read_at_once(run):
    found = run(
        """
name = dict(repo_id="org/data", repo_type="dataset")
say("old", lambda: open(hf_hub_download(filename="train.csv", **name)).read())
HfApi().upload_file(path_or_fileobj=b"new", path_in_repo="train.csv", **name)
say("new", lambda: open(hf_hub_download(filename="train.csv", **name)).read())
""",
        **TOKEN,
    )

    assert (found["old"], found["new"]) == ("a,b\n1,2\n", "new")


def test_a_commit_of_another_program_is_seen_at_once_where_plain_asks(run, hub, repos, machine):
    """What is asked in words is asked each time; one resolution serves files for some seconds: see docs/limits.md."""
    code = f"""
import pathlib, urllib.request
say("first", lambda: [HfApi().model_info(MODEL).sha, hf_hub_download(MODEL, "config.json") and 1])
pathlib.Path({str(repos)!r}, MODEL, "added.txt").write_text("another's")
urllib.request.urlopen(urllib.request.Request(os.environ["HF_ENDPOINT"] + "/__admin__/rescan", method="POST"))
say("sha", lambda: HfApi().model_info(MODEL).sha)
say("listed", lambda: "added.txt" in HfApi().list_repo_files(MODEL))
say("exists", lambda: HfApi().file_exists(MODEL, "added.txt"))
say("file", lambda: open(hf_hub_download(MODEL, "added.txt")).read())
"""
    found = run(code)

    assert found["sha"] != found["first"][0]
    assert [found["listed"], found["exists"], found["file"]] == [True, True, "another's"]


@pytest.mark.parametrize("place", ["HF_HUB_CACHE", "own"])
def test_what_another_program_has_learnt_of_a_branch_stays(run, repos, place):
    """And counts at once for what is to come from this machine alone."""
    found = run(f"""
import pathlib, subprocess, urllib.request
where = dict() if {place!r} == "HF_HUB_CACHE" else dict(cache_dir={place!r})
cache = pathlib.Path(where.get("cache_dir") or pathlib.Path(os.environ["HF_HOME"], "hub"))
ref = cache / "models--org--model/refs/main"
hf_hub_download(MODEL, "config.json", **where)
local = lambda: open(hf_hub_download(MODEL, "config.json", local_files_only=True, **where)).read()
cached = lambda: open(try_to_load_from_cache(MODEL, "config.json", **where)).read()
before, old = [local(), cached()], ref.read_text()
pathlib.Path({str(repos)!r}, MODEL, "config.json").write_text('{{"a": 2}}')
urllib.request.urlopen(urllib.request.Request(os.environ["HF_ENDPOINT"] + "/__admin__/rescan", method="POST"))
code = f"from huggingface_hub import snapshot_download; snapshot_download('org/model', **{{where}})"
subprocess.run([sys.executable, "-c", code], env={{**os.environ, "IPFS_ACCELERATE": "0"}}, check=True)
new = ref.read_text()
say("local", lambda: [before, local(), cached()])
hf_hub_download(MODEL, "README.md", **where)
snapshot_download(MODEL, allow_patterns="nothing", **where)
say("moved", lambda: old != new)
say("stays", lambda: ref.read_text() == new)
""")

    assert found == {"local": [['{"a": 1}\n'] * 2, '{"a": 2}', '{"a": 2}'], "moved": True, "stays": True}
