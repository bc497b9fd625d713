"""The three kinds of repos: their keys, their folders, and how people write them."""

import pytest

from ipfs_accelerate_py.errors import UnsafeName
from ipfs_accelerate_py.repo import Repo, read_name
from ipfs_accelerate_py.store import layout

COMMIT = "0123456789abcdef0123456789abcdef01234567"
# kind, id, key, folder, path of the API
REPOS = [
    ("model", "gpt2", "gpt2", "models--gpt2", "api/models/gpt2"),
    ("model", "org/name", "org/name", "models--org--name", "api/models/org/name"),
    ("model", "datasets/squad", "datasets/squad", "models--datasets--squad", "api/models/datasets/squad"),
    ("dataset", "squad", "dataset:squad", "datasets--squad", "api/datasets/squad"),
    ("dataset", "org/name", "dataset:org/name", "datasets--org--name", "api/datasets/org/name"),
    ("space", "org/na.me_1", "space:org/na.me_1", "spaces--org--na.me_1", "api/spaces/org/na.me_1"),
]


@pytest.mark.parametrize(("kind", "repo_id", "key", "folder", "path"), REPOS)
def test_a_repo(kind, repo_id, key, folder, path):
    repo = Repo(kind, repo_id)
    assert (repo.key, repo.folder, repo.api_path, repo.repo_type) == (key, folder, path, kind)
    assert Repo.parse(key) == Repo.of_folder(folder) == repo
    assert layout.repo_folder(key) == folder and layout.repo_of(folder) == key
    assert layout.snapshot_path(key, COMMIT, "a/b") == f"{folder}/snapshots/{COMMIT}/a/b"


@pytest.mark.parametrize(
    "key",
    [
        "", ":", "dataset:", "space:", ":org/name", "model:org/name", "kernel:org/name", "datasets:org/name",
        "dataset:org/name/x", "dataset:dataset:org/name", "dataset: org/name", "Dataset:org/name", "dataset:../name",
        "org/name:dataset", "dataset/org/name", "dataset:org/name@main", "dataset:a--b", None, 3, b"dataset:org/name",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_key(key):
    with pytest.raises(UnsafeName, match="is not a repo id of the form 'org/name'") as caught:
        Repo.parse(key)
    assert all(form in caught.value.hint for form in (" org/name", " dataset:org/name", " space:org/name"))


@pytest.mark.parametrize(
    "folder",
    ["", "datasets", "datasets--", "dataset--org--name", "kernels--org--name", "buckets--org--name", "Models--a",
     "spaces--a--b--c", "datasets----a", "datasets--..--a", "models--org/name", "datasets--org--name "],
)  # fmt: skip
def test_what_is_no_folder(folder):
    assert Repo.of_folder(folder) is None and layout.repo_of(folder) is None


READ = {
    "org/name": ("org/name", None),
    "gpt2": ("gpt2", None),
    "model:org/name": ("org/name", None),
    "models/org/name": ("org/name", None),
    "dataset:org/name": ("dataset:org/name", None),
    "dataset:squad": ("dataset:squad", None),
    "datasets/org/name": ("dataset:org/name", None),
    "datasets/squad": ("datasets/squad", None),  # two parts: an organisation of that name
    "spaces/org/name": ("space:org/name", None),
    "hf://org/name": ("org/name", None),
    "hf://datasets/org/name": ("dataset:org/name", None),
    "hf://datasets/squad": ("dataset:squad", None),
    "hf://spaces/org/name": ("space:org/name", None),
}


@pytest.mark.parametrize("text", READ)
@pytest.mark.parametrize("revision", [None, "main", "v1.0", "refs/convert/parquet", "fix/a@b", COMMIT])
def test_what_people_write(text, revision):
    key, _ = READ[text]
    assert read_name(text if revision is None else f"{text}@{revision}") == (key, revision)
    Repo.parse(key)


def test_a_revision_in_a_uri_may_be_quoted():
    assert read_name("hf://datasets/org/name@refs%2Fpr%2F1") == ("dataset:org/name", "refs/pr/1")
    assert read_name("org/name@100%25") == ("org/name", "100%25")


@pytest.mark.parametrize(
    "text",
    ["kernel:org/name", "kernels/org/name", "hf://buckets/org/name", "hf://kernels/org/name", "datasets/a/b/c",
     "hf://datasets/org/name/data/train.parquet", "hf://datasets/", "hf://", "dataset:", "http://host/org/name",
     "dataset:datasets/org/name"],
)  # fmt: skip
def test_what_is_none_of_it_is_refused_where_it_is_used(text):
    with pytest.raises(UnsafeName, match="is not a repo id"):
        layout.repo_folder(read_name(text)[0])
