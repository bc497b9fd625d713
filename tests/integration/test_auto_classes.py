"""All Auto* classes of the installed transformers are proxies, and the table in the docs says which they are."""

from __future__ import annotations

import json

import pytest
import transformers

from tests.support import auto_classes

pytestmark = pytest.mark.lines

# The first version of this system named these; what the installed version still has of them must be covered.
FIRST_VERSION = (
    "AutoModel",
    "AutoTokenizer",
    "AutoConfig",
    "AutoProcessor",
    "AutoFeatureExtractor",
    "AutoImageProcessor",
)

PROBE = """
import json, wrapt
from tests.support.auto_classes import defined_classes
names = sorted(defined_classes())
import transformers, importlib, ipfs_accelerate_py
def ways(name):
    top = getattr(transformers, name, None)
    module = importlib.import_module(f"transformers.models.auto.{[m for m in modules if hasattr(modules[m], name)][0]}")
    return [top, getattr(module, name)]
import sys
prefix = "transformers.models.auto."
modules = {name[len(prefix):]: sys.modules[name] for name in list(sys.modules) if name.startswith(prefix)}
bad = []
for name in names:
    # a dummy stands at the top where an optional package (torchvision) is missing, in plain transformers too
    found = [x for x in ways(name) if x is not None and type(x).__name__ != "DummyObject"]
    if not all(isinstance(x, wrapt.ObjectProxy) and x is found[0] for x in found):
        bad.append(name)
print(json.dumps({"names": names, "bad": bad, "patched": ipfs_accelerate_py.get_status()["patched_classes"]}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    from tests.support.machine import Machine

    machine = Machine(tmp_path_factory.mktemp("auto") / "machine")
    done = machine.run(f"import sys; sys.path.append({str(auto_classes.DOCUMENT.parents[1])!r})\n{PROBE}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_class_is_one_proxy_by_every_path(found):
    assert found["bad"] == []
    assert found["patched"] == [f"transformers.{name}" for name in found["names"]]
    assert set(FIRST_VERSION) <= set(found["names"])


def test_the_table_in_the_docs_is_true(found):
    line = auto_classes.line_of(transformers.__version__)
    listed = {name for name, cells in auto_classes.read_table().items() if cells[line]}
    what_to_do = "run: python -m tests.support.auto_classes, in both environments"
    assert set(found["names"]) <= listed, what_to_do
    if transformers.__version__ in auto_classes.DOCUMENT.read_text():  # an older one of the line may have fewer
        assert listed == set(found["names"]), what_to_do
