"""doctor as a whole: its document, its exit code, its budget; and the checks of hook and doors."""

import json
import os
import shutil
import site
import time
from pathlib import Path

import pytest

from ipfs_accelerate_py import doctor
from ipfs_accelerate_py.config.settings import PREFIX, read_settings
from ipfs_accelerate_py.doctor.check import Check, good, run
from tests.support.machine import Machine
from tests.support.small_server import silence

pytestmark = pytest.mark.timeout(180)
NAMES = [
    "settings",
    "switch",
    "hook",
    "store",
    "disk",
    "lock file",
    "left for others",
    "node",
    "private swarm",
    "peers",
    "name",
    "one copy",
]
NAMES += ["round trip", "fleet", "publishers", "gateways", "mirrors", "hub", "clock", "doors"]


@pytest.fixture
def stocked(environment):
    """An environment that also sees what this interpreter has installed: transformers, huggingface_hub."""
    (environment.site / "zz_others.pth").write_text("".join(f"{folder}\n" for folder in site.getsitepackages()))
    return environment


def rows_of(done):
    document = json.loads(done.stdout)
    assert set(document) == {"ok", "checks"}
    assert document["ok"] is all(row["ok"] for row in document["checks"])
    assert done.returncode == (0 if document["ok"] else 1), done.stderr
    assert "Traceback" not in done.stderr
    for row in document["checks"]:
        assert list(row) == ["name", "ok", "detail", "hint"] and row["detail"]
        assert row["ok"] or row["hint"], row
    return {row["name"]: row for row in document["checks"]}


def is_well_or_slow(doors):
    """The first import of transformers on a busy machine may take longer than doctor waits, and then it says so."""
    return (doors["ok"] and "Auto classes patched" in doors["detail"]) or "did not end within" in doors["detail"]


@pytest.mark.lines
def test_all_is_well_under_run(tiny_hub, tmp_path):
    """With a Hub, and without what needs not be: no node, no gateways, no mirrors, no lock file."""
    code = "import sys; from ipfs_accelerate_py.cli.main import main; sys.exit(main(['doctor', '--json']))"
    rows = rows_of(Machine(tmp_path / "m", hub=tiny_hub, IPFS_ACCELERATE_TIMEOUT="5").run(code))
    assert [name for name in rows if not name.startswith("hard links")] == NAMES
    assert is_well_or_slow(rows.pop("doors"))
    assert not [row for row in rows.values() if not row["ok"]]


def test_for_people(tmp_path):
    """One line each, a hint below, and what came out last; nothing that only a terminal understands."""
    done = Machine(tmp_path / "m", IPFS_ACCELERATE="1", HF_TOKEN="hf_" + "x" * 30).hook("doctor")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("FAIL  hook: ")]
    at = next(index for index, line in enumerate(lines) if line.startswith("FAIL  hub: "))
    assert lines[at + 1].startswith("      Hint: ") and "HF_ENDPOINT" in lines[at + 1]
    assert "checks failed: hook, hub, clock" in lines[-1]  # and doors, where the first import is slow
    assert "\x1b" not in done.stdout and "hf_x" not in done.stdout + done.stderr


def test_the_hint_of_the_hook_mends_it(stocked):
    before = rows_of(stocked.hook("doctor", "--json"))["hook"]
    assert not before["ok"] and "does not start" in before["detail"]
    words = before["hint"].partition(" (")[0].split()
    assert words[0] == "python"
    assert stocked.run(*words[1:]).returncode == 0
    after = rows_of(stocked.hook("doctor", "--json"))
    assert after["hook"]["ok"] and "_ipfs_accelerate_boot" in after["hook"]["detail"]
    assert is_well_or_slow(after["doors"]), after["doors"]


def test_an_environment_without_any_library(environment):
    """Neither transformers nor huggingface_hub: failed checks, not a traceback."""
    assert environment.hook("enable").returncode == 0
    rows = rows_of(environment.hook("doctor", "--json"))
    assert rows["hook"]["ok"]
    assert not rows["doors"]["ok"] and "transformers is not installed" in rows["doors"]["detail"]
    assert "pip install" in rows["doors"]["hint"]
    assert not rows["hub"]["ok"] and "No module named" in rows["hub"]["detail"]


def test_a_library_that_breaks_at_its_import(stocked):
    (stocked.site / "transformers").mkdir()
    (stocked.site / "transformers" / "__init__.py").write_text("raise RuntimeError('half installed')\n")
    row = rows_of(stocked.hook("doctor", "--json"))["doors"]
    assert not row["ok"] and "half installed" in row["detail"] and "pip install" in row["hint"]


def test_another_copy_of_the_package(stocked, tmp_path):
    """The startup files wake up a copy that is not the one that asks: named while it works, and when it is broken."""
    copy, source = tmp_path / "copy", Path(doctor.__file__).resolve().parents[2]
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (stocked.site / "zz_editable.pth").write_text(f"{copy}\n")
    assert stocked.hook("enable").returncode == 0
    code = f"import sys; sys.path.insert(0, {str(source)!r})\n"
    code += "from ipfs_accelerate_py.doctor import interpreter; print(interpreter.check_hook())"
    said = stocked.run("-c", code).stdout
    assert "ok=False" in said and str(copy) in said and "pip install" in said
    (copy / "ipfs_accelerate_py" / "activation.py").write_text("def half(")
    said = stocked.run("-c", code).stdout
    assert "ok=False" in said and "cannot be imported: SyntaxError" in said and "hook disable" in said


def test_everything_hangs(tmp_path, monkeypatch):
    """Node, gateway, mirror, Hub and every new Python: failed checks within 30 s."""
    from huggingface_hub import constants

    (tmp_path / "sitecustomize.py").write_text("import time\ntime.sleep(60)\n")
    for name in os.environ:
        if name.startswith((PREFIX, "STORAGE_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with silence() as url:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("IPFS_ACCELERATE_NODE", url)
        monkeypatch.setenv("IPFS_ACCELERATE_GATEWAYS", f"{url}/a,{url}/b")
        monkeypatch.setenv("IPFS_ACCELERATE_MIRRORS", f"{url}/c")
        monkeypatch.setattr(constants, "ENDPOINT", url)
        began = time.monotonic()
        result = doctor.run_checks(read_settings()).to_dict()
        seconds = time.monotonic() - began
    assert seconds < 30
    failed = {row["name"] for row in result["checks"] if not row["ok"]}
    assert failed >= {
        "hook",
        "doors",
        "node",
        "peers",
        "round trip",
        "hub",
        "clock",
        f"gateway {url}/a",
        f"mirror {url}/c",
    }
    assert all(row["hint"] for row in result["checks"] if not row["ok"])
    assert {"settings", "store", "disk"} & failed == set()


def test_a_check_that_raises_or_hangs_or_needs_another(capsys):
    def fall():
        raise LookupError("nobody saw this coming")

    bad = Check("raises", fall, "do this")
    slow = Check("hangs", lambda: time.sleep(60), "do that", 0.5)
    needing = [Check("needs", lambda: good("fine"), "", 5, bad), Check("waits", lambda: good("fine"), "", 0.5, slow)]
    seen = []
    began = time.monotonic()
    findings = run([bad, slow, *needing, Check("well", lambda: good("fine"), "")], seen.append)
    assert time.monotonic() - began < 5
    assert seen == findings
    rows = [finding.to_dict() for finding in findings]
    assert [row["ok"] for row in rows] == [False, False, False, False, True]
    assert rows[0]["detail"] == "LookupError: nobody saw this coming" and rows[0]["hint"] == "do this"
    assert "no answer within 0.5 s" in rows[1]["detail"] and rows[1]["hint"] == "do that"
    assert "'raises' is not well" in rows[2]["detail"] and rows[2]["hint"] == "mend 'raises' first"
    assert not rows[3]["ok"]
    assert capsys.readouterr() == ("", "")
