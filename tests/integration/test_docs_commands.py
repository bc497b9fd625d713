"""Every command in README, CONTRIBUTING and docs/ works: ours are typed here, the others' tests are named here."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.documents import OURS, ROOT, pages, read_blocks
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.shell import Shell

pytestmark = pytest.mark.timeout(600)
# Pages that a test of their own goes through as a whole.
WHOLE_PAGES = {
    "docs/containers.md": "tests/integration/test_examples_containers.py::test_the_containers_page",
    "docs/cookbook.md": "tests/integration/test_cookbook.py::test_the_cookbook",
    "docs/fleet.md": "tests/integration/test_fleet_commands.py::test_the_fleet_page",
}
# Commands that are not ours, or that do not end by themselves: a pattern for the line -> the test that runs it, or the
# target of the Makefile that CI goes through.
ELSEWHERE = {
    r"make (venv|node|s3|compose|lint|test|docs|faults|never-worse|fuzz|crashes|coverage|pythons)": "Makefile::{0}",
    r"make (direct-calls|ecosystem|ecosystem-short|picture)": "Makefile::{0}",
    r"python -m ipfs_accelerate_py.hook run -m (vllm|sglang).*": "Makefile::ecosystem-short",  # their calls
    r"(ipfs-accelerate|python -m ipfs_accelerate_py.hook) fleet .*": (
        "tests/integration/test_fleet_commands.py::test_the_fleet_page"
    ),
    r"make demo": "tests/integration/test_demo.py::test_demo",
    r"pip install (\.|'\.\[transformers\]')": "Makefile::venv",
    r"ipfs (init|bootstrap|config|files|ls|swarm)\b.*": "tests/integration/test_fleet_page.py::test_the_fleet_page",
    r"(printf|chmod) .*swarm\.key": "tests/integration/test_fleet_page.py::test_the_fleet_page",
    r"LIBP2P_FORCE_PNET=1 ipfs daemon": "tests/integration/test_fleet_page.py::test_the_fleet_page",
}
# Exit codes other than 0 that are right where the page's commands are typed here.
EXITS = {
    r".*\bdoctor\b.*": {0, 1},
    r".*\benable --user": {1},  # a virtual environment, such as the shell's here, does not read it: it says so
}
# What the lines stand for.
FILES = ("train.py", "worker.py", "script.py", "my_package/__main__.py")
FOLDERS = (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions")


def without_variables(command):
    return re.sub(r"^(\w+=\S* )+", "", command)


def is_ours(command):
    """A command of ours, a user's program with our settings, or a setting."""
    words = without_variables(command)
    users = re.match(r"python (train|worker|script)\.py", words)
    return words.startswith(OURS) or bool(users) or bool(re.match(r"export (IPFS|HF|STORAGE|TRANSFORMERS)_", command))


def found_elsewhere(command):
    """The test or target that covers a command, if one is named."""
    for pattern, covering in ELSEWHERE.items():
        if found := re.fullmatch(pattern, command):
            return covering.format(*found.groups())
    return None


def commands_of(page):
    return [(block, command) for block in read_blocks(page) for command in block.commands]


ALL = [(block, command) for page in pages() for block, command in commands_of(page)]
OUR_PAGES = [page for page in pages() if page.relative_to(ROOT).as_posix() not in WHOLE_PAGES]
OUR_PAGES = [page for page in OUR_PAGES if any(is_ours(command) for _, command in commands_of(page))]


@pytest.fixture(scope="module")
def node(node_class, tmp_path_factory):
    with node_class(tmp_path_factory.mktemp("node") / ".ipfs") as running:
        yield running


@pytest.mark.parametrize("page", OUR_PAGES, ids=lambda page: page.name)
def test_our_commands(page, tmp_path, tiny_models, node):
    """In the order of the page, by a user with two models and two datasets in the store, a node and a Hub."""
    with LocalHub() as hub:
        for name, kind in {"org/name": "bert", "org/other": "gpt2"}.items():
            repo = hub.add(name, tiny_models / "tiny" / kind)
            repo.tags["v1.0"] = repo.refs["main"]
            hub.add(name, tiny_models / "tiny" / kind, "datasets")
        user = Machine(tmp_path / "user", hub=hub, IPFS_ACCELERATE_NODE=node.api)
        shell = Shell(user, {"12D3KooWA...": node.peer_id, "12D3KooWB...": node.peer_id, "12D3KooW...": node.peer_id})
        for name in FILES:
            (user.home / name).parent.mkdir(exist_ok=True)
            (user.home / name).write_text("print('it ran')\n")
        for name in FOLDERS:
            (user.home / name).mkdir(parents=True)
        everything = "org/name org/other dataset:org/name dataset:org/other"
        done = shell.type(f"python -m ipfs_accelerate_py.hook fetch {everything}")
        assert done.returncode == 0, done.stderr
        wrong = []
        for block, command in commands_of(page):
            if not is_ours(command) or found_elsewhere(command):
                continue
            done = shell.type(command)
            allowed = next((codes for pattern, codes in EXITS.items() if re.fullmatch(pattern, command)), {0})
            if done.returncode not in allowed or "Traceback" in done.stderr:
                wrong.append(f"{block.page}:{block.number}: {command}\n  ended with {done.returncode}\n{done.stderr}")
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("block", "command"), ALL, ids=[f"{b.page}:{b.number}:{c[:40]}" for b, c in ALL])
def test_every_command_is_covered(block, command):
    covered = block.page in WHOLE_PAGES or is_ours(command) or found_elsewhere(command)
    assert covered, (
        f"{block.page}:{block.number}: nothing runs the command {command!r}. Add a pattern for it, and the test that "
        "runs it, to ELSEWHERE in this file. (If the block is no shell, give its fence a language: ```text, ```toml.)"
    )


@pytest.mark.parametrize(
    "covering", sorted({*WHOLE_PAGES.values(), *filter(None, (found_elsewhere(c) for _, c in ALL))})
)
def test_what_covers_is_there(covering):
    path, _, name = covering.partition("::")
    if path == "Makefile":
        assert re.search(rf"^{name}:", (ROOT / path).read_text(), re.MULTILINE)
        return
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_no_pattern_is_left_over():
    unused = [pattern for pattern in ELSEWHERE if not any(re.fullmatch(pattern, command) for _, command in ALL)]
    assert not unused
