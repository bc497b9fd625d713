"""A repo that was renamed: its old name redirects, and loads on when the Hub refuses connections."""

import shutil

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .probe import ask

pytestmark = pytest.mark.lines

LINES = {
    "tokenizer": "AutoTokenizer.from_pretrained('acme/old')",
    "model": "AutoModel.from_pretrained('acme/old')",
}
IMPORTS = """
import torch, transformers.models.bert.modeling_bert
from transformers import AutoModel, AutoTokenizer
"""


@pytest.mark.parametrize(("hooked", "keep_query"), [(True, True), (True, False), (False, True)])
def test_the_old_name_of_a_repo(tiny_models, tmp_path, hooked, keep_query):
    """`hooked`: who has loaded it while the Hub was well."""
    shutil.copytree(tiny_models / "tiny" / "bert", tmp_path / "repos" / "acme" / "old")
    with LocalHub(tmp_path / "repos") as hub:
        hub.rename("acme/old", "acme/new", keep_query)
        machine = Machine(tmp_path / "m", hub=hub)
        before = ask(machine, LINES, IMPORTS, hooked=hooked)
        assert before.errors == {}
        assert [row for row in hub.log if row["status"] == 307]
    after = ask(machine, LINES, IMPORTS)
    assert after.seen() == before.seen(replaced=[(str(machine.cache / "hub"), str(machine.store))])
    for outcome in after.values():  # plain waits 10 s and more for some of them; a busy machine is slow, too
        assert outcome.seconds < 8
