"""What a model is and which files it has are asked in one question, and answered as plain answers."""

from __future__ import annotations

import re

import pytest

from tests.support.machine import Machine

from .conftest import MODEL

pytestmark = pytest.mark.lines

ANSWER = "repr(HfApi().{})"
QUESTIONS = [
    "model_info(MODEL)",
    "model_info(MODEL, files_metadata=True)",
    'model_info(MODEL, revision="main")',
    "model_info(MODEL, expand=['sha'])",
    "repo_info(MODEL)",
    "repo_info(MODEL, files_metadata=True)",
    'dataset_info("org/data")',
    'space_info("org/app")',
    'model_info("org/none")',
    'model_info(MODEL, revision="none")',
]


def plain_text(text: str) -> str:
    """Without the number of the request."""
    return re.sub(r"Request ID: [^)']*", "", text)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_plains_in_as_many_requests(run, machine, hub, tmp_path, question):
    plain, code = Machine(tmp_path / "plain", hub=hub), f'say("answer", lambda: {ANSWER.format(question)})'
    found = {}

    for each in (plain, machine):
        hub.log.clear()
        answer = run(code, on=each, hooked=each is machine)["answer"]
        found[each] = (answer if isinstance(answer, str) else [plain_text(answer[1]), answer[2]], len(hub.log))

    assert found[machine] == found[plain]


def test_after_it_no_listing_is_asked_for_and_it_is_answered_when_the_hub_is_gone(run, hub):
    first = run(
        'say("info", lambda: HfApi().model_info(MODEL).sha)\nsay("x", lambda: hf_hub_download(MODEL, WEIGHTS))\n'
    )
    assert [row["method"] for row in hub.log if row["path"].startswith("/api/models")] == ["GET"]
    hub.stop()

    assert run('say("info", lambda: HfApi().model_info(MODEL).sha)')["info"] == first["info"]


def test_a_program_that_only_asks_leaves_nothing(run, machine):
    run('say("info", lambda: [HfApi().model_info(MODEL).sha for _ in range(3)])')

    assert not [file for file in machine.home.rglob("*") if "org--model" in str(file)]


def test_a_mirror_that_does_not_take_the_longer_question_is_asked_the_callers(run, hub):
    hub.fault(match=r"blobs=true", status=400)

    found = run('say("names", lambda: [file.rfilename for file in HfApi().model_info(MODEL).siblings])')

    assert sorted(found["names"]) == ["README.md", "config.json", "unet/weights.safetensors"]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_the_hub_says_of_the_repo_is_asked_once(run, machine, hub, tmp_path, status):
    hub.fault(match=r"/api/models", status=status)
    plain, code, asked = Machine(tmp_path / "plain", hub=hub), f'say("x", lambda: HfApi().model_info("{MODEL}"))', {}

    for each in (plain, machine):
        hub.log.clear()
        _, text, kinds = run(code, on=each, hooked=each is machine)["x"]
        asked[each] = plain_text(text), kinds, len(hub.log)

    assert asked[machine] == asked[plain]


def test_a_hub_that_is_gone_is_told_of_as_plain_does(run, machine, hub, tmp_path):
    plain, code = Machine(tmp_path / "plain", hub=hub), 'say("x", lambda: HfApi().model_info(MODEL))'
    hub.stop()

    said = [run(code, on=each, hooked=each is machine)["x"] for each in (plain, machine)]

    texts = [re.sub(r"0x[0-9a-f]+", "", plain_text(text)) for _, text, _ in said]
    assert (texts[0], said[0][2]) == (texts[1], said[1][2])


def test_what_is_pushed_after_the_question_is_seen(run, hub):
    found = run("""
api = HfApi(token="hf_test")
api.model_info(MODEL)
api.upload_file(path_or_fileobj=b"new", path_in_repo="new.txt", repo_id=MODEL)
say("new", lambda: open(hf_hub_download(MODEL, "new.txt", token="hf_test")).read())
say("names", lambda: "new.txt" in [file.rfilename for file in api.model_info(MODEL).siblings])
""")

    assert found == {"new": "new", "names": True}
