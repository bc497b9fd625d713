"""With the hook on, a program sees what it sees without; every difference is a limit with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import Machine

pytestmark = pytest.mark.lines

PROBE = Path(__file__).with_name("probe.py")
LIMITS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "limits.md"
AUTO = ("AutoModel", "AutoConfig", "AutoTokenizer", "AutoModelForCausalLM", "AutoProcessor")
BASE = ("PreTrainedModel", "PretrainedConfig", "PreTrainedTokenizerBase", "ProcessorMixin", "GenerationConfig")
ANY = (*AUTO, *BASE, "BertModel", "BertTokenizerFast")
FUNCTIONS = ("cached_files", "list_repo_templates", "has_file", "hf_api", "resolve_revision")
MODULES = ("transformers.models.auto.modeling_auto", "transformers.models.auto.configuration_auto")

# check -> for whom it differs, and what docs/limits.md says of it
LIMITS = {
    "exact type": (AUTO, "`type(AutoModel)` is the proxy's class"),
    "original is it": (AUTO, "the class itself"),
    "pickled original": (AUTO, "cannot be pickled"),
    "foreign attributes": (AUTO, "`__wrapped__`"),
    "unwrapped": (AUTO, "`__wrapped__`"),
    "subclass of an abc": (AUTO, "`issubclass(AutoModel, SomeABC)`"),
    "abc registration": (AUTO, "`SomeABC.register(AutoModel)`"),
    "class pattern": (AUTO, "`match x: case AutoModel():`"),
    "type call": (AUTO, '`type("N", (AutoModel,), {})`'),
    "new object": (AUTO, "`object.__new__(AutoModel)`"),
    "super with the class named": (AUTO, "`super(AutoModel, cls)`"),
    "namespace of a subclass": (AUTO, "`__orig_bases__`"),
    "size": (AUTO, "in other words"),
    "iteration": (AUTO, "in other words"),
    "membership": (AUTO, "in other words"),
    "order": (AUTO, "in other words"),
    "conversion": (AUTO, "in other words"),
    "context manager": (AUTO, "in other words"),
    "static attributes": (AUTO, "`inspect.getattr_static`"),
    "static type": (ANY, "`inspect.getattr_static`"),
    "method type": (ANY, "`type(AutoModel.from_pretrained)`"),
    "mock is an instance of the original": (AUTO, "`isinstance(Mock(spec=AutoModel), AutoModel.mro()[0])`"),
    "method by a specification": (BASE, "`callable`"),
    "signature of a mocked method": (ANY, "mocked method"),
    "help as html": (("AutoModel", "AutoModelForCausalLM"), "HTML help"),
    "function type": (FUNCTIONS, "`type(AutoModel.from_pretrained)`"),
    "client type": (("hf_api",), "`type(AutoModel.from_pretrained)`"),
    "module type": (MODULES, "`ProxyModule`"),
    "pickled module": (MODULES, "`ProxyModule`"),
    "copied module": (MODULES, "`ProxyModule`"),
    "loader before loading": (("transformers",), "`PatchingLoader`"),
}
if sys.version_info >= (3, 13):  # inspect.unwrap leaves alone what says that it is a class
    del LIMITS["unwrapped"]


def look(folder, hooked):
    """What the probe prints in a machine without a network."""
    machine = Machine(folder, HF_HUB_OFFLINE="1", PYTHONHASHSEED="0", PYTHONWARNINGS="ignore")
    ran = machine.run(PROBE, hooked=hooked)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(line) for line in ran.stdout.splitlines())


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Without the hook and with it, in folders of the same path: pydoc cuts long values off."""
    folder = tmp_path_factory.mktemp("probe")
    seen = []
    for hooked in (False, True):
        seen.append(look(folder / "m", hooked))
        (folder / "m").rename(folder / f"hooked-{hooked}")
    return seen


@pytest.fixture(scope="module")
def plain(both):
    return both[0]


@pytest.fixture(scope="module")
def hooked(both):
    return both[1]


def test_the_probe_looks_at_the_hook(hooked):
    """That the hook was on while the probe ran."""
    assert "AutoClassProxy" in hooked["super with the class named: AutoModel"]


def test_same_checks(plain, hooked):
    assert list(plain) == list(hooked)
    assert len(plain) > 1000


def test_nobody_can_tell(plain, hooked):
    """All that is not a limit is equal."""
    known = {f"{check}: {subject}" for check, (subjects, _) in LIMITS.items() for subject in subjects}
    different = {label: (plain[label], hooked[label]) for label in plain if plain[label] != hooked[label]}
    assert {label: pair for label, pair in different.items() if label not in known} == {}


@pytest.mark.parametrize("check", LIMITS)
def test_limit(check, plain, hooked):
    """A limit still is one, for each of its subjects, and the page of limits tells of it."""
    subjects, words = LIMITS[check]
    labels = [f"{check}: {subject}" for subject in subjects if f"{check}: {subject}" in plain]
    if check != "client type":  # transformers 4.57 has no such client
        assert labels
    assert [label for label in labels if plain[label] == hooked[label]] == []
    assert words in " ".join(LIMITS_PAGE.read_text().split())


ZIP = """
import os, sys, zipfile
folder, target = sys.argv[1:]
with zipfile.ZipFile(target, "w") as archive:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = os.path.join(here, name)
            archive.write(path, os.path.relpath(path, os.path.dirname(folder)))
"""
IMPORT = "import sys; sys.path.insert(0, sys.argv[1]); import transformers"


@pytest.mark.timeout(120)
def test_transformers_in_a_zip(tmp_path):
    """transformers lists its own folder, so it cannot be imported from a zip; with the hook it says the same."""
    found = "import importlib.util as u; print(u.find_spec('transformers').submodule_search_locations[0])"
    folder = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True).stdout.strip()
    archive = tmp_path / "transformers.zip"
    subprocess.run([sys.executable, "-c", ZIP, folder, archive], check=True)
    machine = Machine(tmp_path / "m", PYTHONDONTWRITEBYTECODE="1")
    plain, hooked = (machine.run(IMPORT, str(archive), hooked=hooked) for hooked in (False, True))
    assert plain.returncode == hooked.returncode == 1
    assert plain.stderr.splitlines()[-1] == hooked.stderr.splitlines()[-1]
    assert plain.stderr.splitlines()[-1].startswith(f"NotADirectoryError: [Errno 20] Not a directory: '{archive}")
    assert "ipfs_accelerate" not in plain.stderr
