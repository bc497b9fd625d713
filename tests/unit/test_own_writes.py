"""Which repos a request to the Hub may change."""

import pytest

from ipfs_accelerate_py.libraries.huggingface_hub.writes import written_to

HUB = "https://hub.test/prefix/api"


@pytest.mark.parametrize(
    ("url", "body", "changed"),
    [
        (f"{HUB}/models/org/name/commit/main", None, {"org", "org/name"}),
        (f"{HUB}/models/name/commit/main", None, {"name", "name/commit"}),
        (f"{HUB}/models/org/name/branch/side%2Fway", None, {"org", "org/name"}),
        (f"{HUB}/models/org/name/discussions/1/merge", None, {"org", "org/name"}),
        (f"{HUB}/models/org/name/duplicate", {"repository": "me/copy"}, {"org", "org/name", "me/copy"}),
        (f"{HUB}/models/org/name/paths-info/main", {"paths": []}, set()),
        (f"{HUB}/models/name/preupload/main?create_pr=1", {"files": []}, set()),
        (f"{HUB}/datasets/org/name/commit/main", None, {"dataset:org", "dataset:org/name"}),
        (f"{HUB}/spaces/org/name/tag/v1", None, {"space:org", "space:org/name"}),
        (f"{HUB}/kernels/org/name/commit/main", None, set()),
        (f"{HUB}/repos/create", {"name": "name", "organization": "org"}, {"org/name"}),
        (f"{HUB}/repos/create", {"name": "name", "organization": "org", "type": "model"}, {"org/name"}),
        (f"{HUB}/repos/create", {"name": "name", "organization": "org", "type": "dataset"}, {"dataset:org/name"}),
        (f"{HUB}/repos/create", {"name": "name", "organization": "org", "type": "kernel"}, set()),
        (f"{HUB}/repos/delete", {"name": "name", "organization": None}, {"name"}),
        (f"{HUB}/repos/move", {"fromRepo": "a/b", "toRepo": "c/d", "type": "model"}, {"a/b", "c/d"}),
        (f"{HUB}/whoami-v2", None, set()),
        (f"{HUB}/models", None, set()),
        (f"{HUB}/repos/delete", ["name"], set()),
        ("https://elsewhere.test/upload?x=/models/a/b", None, set()),
        ("", None, set()),
    ],
)
def test_what_is_changed(url, body, changed):
    assert set(written_to(url, body)) == changed
