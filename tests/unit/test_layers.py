"""What the import contracts in pyproject.toml cannot say: doors of foreign libraries, and what start-up may load."""

import ast
from pathlib import Path

import pytest

import ipfs_accelerate_py

PACKAGE = "ipfs_accelerate_py"
SOURCE = Path(ipfs_accelerate_py.__file__).parent.parent

# library -> the modules that may import it
DOORS = {
    "wrapt": {f"{PACKAGE}.patching.proxies"},
    "ipfshttpclient": {f"{PACKAGE}.ipfs.rpc", f"{PACKAGE}.ipfs.rpc_errors"},
    "transformers": set(),  # it comes to us
}


def modules():
    for path in sorted([*(SOURCE / PACKAGE).rglob("*.py"), SOURCE / "_ipfs_accelerate_boot.py"]):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if path.parent.name != "site":  # the chaining sitecustomize is no module of the package
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(name):
    """(imported module, whether it is imported as the module loads) of every import statement."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    late = {id(node) for scope in ast.walk(tree) if is_late(scope) for node in ast.walk(scope)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package
            for _ in range(node.level - 1):
                base = base.rpartition(".")[0]
            module = ".".join(filter(None, [base if node.level else "", node.module]))
            submodules = [f"{module}.{alias.name}" for alias in node.names]
            # `from .store import layout` imports the submodule, not just the package
            found = [each if each in MODULES else module for each in submodules]
        else:
            continue
        for each in found:
            yield each, id(node) not in late


def is_late(node):
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.dump(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def test_the_reader_sees_imports():
    assert (f"{PACKAGE}.store.layout", True) in set(imports(f"{PACKAGE}.store.store"))
    assert ("ipfshttpclient", False) in set(imports(f"{PACKAGE}.ipfs.rpc"))
    assert len(MODULES) > 30


@pytest.mark.parametrize("library", DOORS)
def test_who_may_import_a_library(library):
    found = {name for name in MODULES for imported, _ in imports(name) if imported.partition(".")[0] == library}
    assert found <= DOORS[library]


def test_the_command_line_has_one_door_to_what_is_below():
    rooms = {"cli", "doctor", "startup", "activation", "operations", "config", "files", "errors", "log", "status"}
    for name in MODULES:
        if name.startswith(f"{PACKAGE}.cli"):
            ours = {each for each, _ in imports(name) if each.startswith(f"{PACKAGE}.")}
            assert {each.split(".")[1] for each in ours} <= rooms, name


def test_the_boot_module_imports_sys_alone_as_it_loads():
    assert {each for each, early in imports("_ipfs_accelerate_boot") if early} == {"sys"}
    # inside a function, and guarded: it wakes the rest up when a hooked library is imported for the first time
    assert {each for each, early in imports("_ipfs_accelerate_boot") if not early} == {f"{PACKAGE}.activation"}


LIGHT = ("config", "errors", "files", "hook.finder", "hook.loader", "log", "session", "state", "status")
STDLIB_ONLY = [
    name for name in MODULES if name.startswith(tuple(f"{PACKAGE}.{each}" for each in LIGHT)) or not name.count(".")
]
HEAVY = {"huggingface_hub", "ipfshttpclient", "wrapt", "transformers", "torch", "filelock", "platformdirs", "requests"}


@pytest.mark.parametrize("name", [*STDLIB_ONLY, f"{PACKAGE}.hook", f"{PACKAGE}.activation"])
def test_what_start_up_loads_is_of_the_standard_library(name):
    assert not {each.partition(".")[0] for each, early in imports(name) if early} & HEAVY
