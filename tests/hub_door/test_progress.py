"""Bars: of the kind that the caller asks for, and none where they are switched off."""

from __future__ import annotations

import pytest

from tests.support.machine import Machine

pytestmark = pytest.mark.lines

CLASSES = """
from tqdm.auto import tqdm
class Loud(tqdm):
    seen = []
    def __init__(self, *args, **kwargs):
        kwargs.pop("name", None)
        super().__init__(*args, **{**kwargs, "disable": False})
        self.seen.append(self.total)
class Silent(tqdm):
    def __init__(self, *args, **kwargs):
        kwargs.pop("name", None)
        super().__init__(*args, **{**kwargs, "disable": True})
"""


@pytest.fixture
def loud(tmp_path, hub) -> Machine:
    return Machine(tmp_path / "loud", hub=hub)


@pytest.mark.parametrize("hooked", [True, False])
def test_a_snapshots_own_class_is_used(run, loud, hooked):
    found = run(
        CLASSES + 'say("files", lambda: [snapshot_download(MODEL, tqdm_class=Loud) and 3, Loud.seen.count(3)])',
        on=loud,
        hooked=hooked,
    )

    assert found["files"] == [3, 1]
    assert "Fetching 3 files" in run.stderr


@pytest.mark.parametrize("hooked", [True, False])
def test_a_silent_class_means_silence(run, loud, hooked):
    run(CLASSES + 'say("files", lambda: snapshot_download(MODEL, tqdm_class=Silent))', on=loud, hooked=hooked)

    assert "%|" not in run.stderr


@pytest.mark.parametrize("how", ["HF_HUB_DISABLE_PROGRESS_BARS", "call"])
def test_switched_off_means_silence(run, loud, how):
    off = "" if how.isupper() else "huggingface_hub.utils.disable_progress_bars()\n"
    run(
        off + 'say("files", lambda: [snapshot_download(MODEL), hf_hub_download(MODEL, WEIGHTS, force_download=True)])',
        on=loud,
        **({how: "1"} if how.isupper() else {}),
    )

    assert "%|" not in run.stderr
