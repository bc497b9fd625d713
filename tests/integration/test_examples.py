"""Each example does what it says, started as its own first lines say, on models of a loopback Hub."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tests.support.local_hub import LocalHub
from tests.support.node import free_port

pytestmark = pytest.mark.lines
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TEXT = "the quick brown fox"
SKILLS = {"embed": "tiny/bert", "generate": "tiny/gpt2", "classify": "tiny/classifier"}
QUIET = {"TRANSFORMERS_VERBOSITY": "error"}


@pytest.fixture(scope="module")
def hub(tiny_models, tmp_path_factory):
    """The tiny models and, of the bert, one with a head that tells two classes."""
    folder = tmp_path_factory.mktemp("classifier")
    for path in (tiny_models / "tiny" / "bert").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "model.safetensors")
    head = weights["embeddings.word_embeddings.weight"][5:7]
    weights = {f"bert.{name}": tensor for name, tensor in weights.items()}
    weights |= {"classifier.weight": head.copy(), "classifier.bias": head[:, 0].copy()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text()) | {"architectures": ["BertForSequenceClassification"]}
    (folder / "config.json").write_text(json.dumps(config))
    with LocalHub(tiny_models) as running:
        running.add("tiny/classifier", folder)
        yield running


def in_store(machine):
    return {path.name for path in machine.store.glob("models--*")}


@pytest.mark.parametrize("name", ["skillset_worker.py", "service.py", "worker.py"])
def test_no_word_of_ours_in_a_workers_code(name):
    """Comments and docstrings may say how to start it; what runs knows nothing."""
    tree = ast.parse((EXAMPLES / name).read_text())
    if ast.get_docstring(tree):
        tree.body.pop(0)
    assert "ipfs" not in ast.unparse(tree).lower()


def test_skillset_worker(hub, machine):
    """Three tasks give what plain transformers gives; then once more without the Hub."""
    words = [TEXT, *(word for task, repo in SKILLS.items() for word in (f"--{task}", repo))]
    plain = machine("plain", hub=hub).run(EXAMPLES / "skillset_worker.py", *words, hooked=False, env=QUIET)
    assert plain.returncode == 0, plain.stderr
    expected = json.loads(plain.stdout)
    assert set(expected) == set(SKILLS) and len(expected["embed"]) == 16 and expected["generate"].startswith(TEXT)

    user = machine("user", hub=hub)
    assert json.loads(user.run(EXAMPLES / "skillset_worker.py", *words, env=QUIET).stdout) == expected
    assert in_store(user) == {"models--tiny--bert", "models--tiny--gpt2", "models--tiny--classifier"}
    user.hub = None
    models = {f"{task.upper()}_MODEL": repo for task, repo in SKILLS.items()}
    again = user.run(EXAMPLES / "skillset_worker.py", TEXT, env={**QUIET, **models})
    assert again.stdout and json.loads(again.stdout) == expected, again.stderr


def ask(server, log, port, path, seconds=150.0):
    """The service's answer; asks again while it is starting."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
                return json.load(answer)
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


def test_service_with_two_forked_workers(hub, machine, tmp_path):
    user, port = machine("user", hub=hub), free_port()
    program = [sys.executable, "-m", "ipfs_accelerate_py.hook", "run", "gunicorn", "--chdir", str(EXAMPLES)]
    options = ["--worker-class", "asgi", "--workers", "2", "--bind", f"127.0.0.1:{port}", "--timeout", "120"]
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**user.environment, **QUIET, "IPFS_ACCELERATE": "1", "MODEL": "tiny/bert", "PATH": folders}
    log = tmp_path / "log"
    hub.log.clear()
    with log.open("w") as output:
        server = subprocess.Popen([*program, *options, "service:app"], env=env, cwd=user.home, stderr=output)
        try:
            workers, deadline = set(), time.monotonic() + 120
            while len(workers) < 2 and time.monotonic() < deadline and server.poll() is None:
                health = ask(server, log, port, "/health")
                assert health["ready"]
                workers.add(health["pid"])
            assert len(workers) == 2 and server.pid not in workers, log.read_text()
            parents = {Path(f"/proc/{pid}/stat").read_text().split()[3] for pid in workers}
            assert parents == {str(server.pid)}  # forked by the process that was `hook run`
            answers = [ask(server, log, port, f"/embed?text={urllib.parse.quote(TEXT)}") for _ in range(8)]
            assert len(answers[0]["embedding"]) == 16
            assert all(answer["embedding"] == answers[0]["embedding"] for answer in answers)
            assert in_store(user) == {"models--tiny--bert"}
            assert not user.copies()
            downloads = [row["path"] for row in hub.log if row["path"].startswith("/_blob/")]
            assert len(downloads) == 1, downloads  # two workers, one download of the weights
        finally:
            server.terminate()
            code = server.wait(30)
    assert code == 0, log.read_text()


EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        if output.get("name") != "stderr":
            print(output.get("text") or output["data"]["text/plain"])
"""


def test_notebook(hub, machine):
    """Every cell runs; it shows the hook on, the model's files in the store, and the hook taken out."""
    user = machine("user", hub=hub)
    done = user.run(EXECUTE, str(EXAMPLES / "notebook.ipynb"), hooked=False, env={**QUIET, "MODEL": "tiny/bert"})
    assert done.returncode == 0, done.stderr
    shown = done.stdout.splitlines()
    assert (shown[0], shown[-1]) == ("True", "[]"), done.stdout
    assert any(line.startswith("similarity ") for line in shown)
    assert any(line.startswith("model.safetensors ") for line in shown), done.stdout
    assert in_store(user) == {"models--tiny--bert"}


def test_the_notebook_is_kept_without_outputs():
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text())
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_every_example_is_in_the_table():
    table = (EXAMPLES / "README.md").read_text()
    kept = subprocess.run(["git", "ls-files", "."], cwd=EXAMPLES, capture_output=True, text=True, check=True).stdout
    for path in kept.splitlines():
        assert path == "README.md" or f"](./{path})" in table, f"examples/README.md has no link to {path}"
