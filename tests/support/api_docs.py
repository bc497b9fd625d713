"""`python -m tests.support.api_docs`: docs/api.md, docs/errors.md, and the map of the architecture, from docstrings."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "src/ipfs_accelerate_py"
API = ROOT / "docs" / "api.md"
ERRORS = ROOT / "docs" / "errors.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
MAP_BEGINS, MAP_ENDS = "<!-- the map, from the docstrings -->\n", "<!-- the end of the map -->\n"

# A heading, the words below it, and what stands there: (module or room, name of a function or a class) each.
SECTIONS = (
    (
        "ipfs_accelerate_py",
        "Importing the package switches the hook on, if the environment allows it.",
        (
            ("activation", "distributed_models"),
            ("activation", "get_status"),
            ("storage_wrapper", "get_storage_wrapper"),
        ),
    ),
    (
        "ipfs_accelerate_py.auto_patch_transformers",
        "Switching by hand.",
        tuple(("activation", name) for name in ("apply", "restore", "disable", "should_patch")),
    ),
    (
        "What `get_storage_wrapper()` returns",
        "The store without the hook. Sizes are bytes, times are seconds, a commit is 40 hex digits.",
        (
            ("storage_wrapper", "StorageWrapper"),
            ("store", "Resolution"),
            ("store", "Tree"),
            ("store", "Entry"),
        ),
    ),
)
_NOTE = "<!-- Written by `python -m tests.support.api_docs`; a test compares it with the docstrings. -->"
_API_HEAD = f"""\
{_NOTE}

# Python API

What a program may call. All else in the package may change without notice. Each name's source is linked; what is raised
is in [errors](errors.md).
"""
_ERRORS_HEAD = f"""\
{_NOTE}

# Errors

All are in `ipfs_accelerate_py.errors`, and each has `hint`: one sentence with what to do next, or `None`. The commands
print it after `Hint:`. What each message means is in [troubleshooting](troubleshooting.md).

A program that loads models meets only `VerificationError` and its kind, `LockFileError`: to go on would be unsafe. Any
other load that cannot be served is the original call's, with its own errors. The
[Python API](api.md) raises all of them.
"""


def render_api() -> str:
    """The page of what a program may call."""
    page = _API_HEAD
    for heading, words, names in SECTIONS:
        code = heading if "`" in heading else f"`{heading}`"
        page += f"\n## {code}\n\n{words}\n"
        for place, name in names:
            page += _render(*_find(place, name))
    return page


def render_errors() -> str:
    """The page of the errors: their tree, and what each means."""
    classes = {name: node for name, node in _definitions("errors").items() if isinstance(node, ast.ClassDef)}
    page = f"{_ERRORS_HEAD}\n```text\n{_draw(classes)}```\n"
    for name, node in classes.items():
        page += f"\n## {name}\n\n{_prose(node)}\n"
    return page


def render_map() -> str:
    """The page of the architecture with its map of the modules: each by the first sentence of its docstring."""
    page = ARCHITECTURE.read_text(encoding="utf-8")
    before, _, rest = page.partition(MAP_BEGINS)
    _, _, after = rest.partition(MAP_ENDS)
    folders: dict[str, list[tuple[str, str]]] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        where = path.relative_to(ROOT / PACKAGE)
        words = (
            (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0].replace("\n", " ")
        )
        room = where.parent.as_posix()
        folders.setdefault("" if room == "." else room, []).append((where.stem, words.replace("|", "\\|")))
    text = ""
    for room in sorted(folders):
        [head] = [words for stem, words in folders[room] if stem == "__init__"] or [""]
        text += f"\n### {f'`{room}/`' if room else 'At the top'}\n\n{head}\n\n| module | |\n| --- | --- |\n"
        text += "".join(f"| `{stem}` | {words} |\n" for stem, words in folders[room] if stem != "__init__")
    return f"{before}{MAP_BEGINS}{text}\n{MAP_ENDS}{after}"


def _draw(classes: dict[str, ast.ClassDef], base: str | None = None, indent: str = "") -> str:
    """The classes below `base`, one on a line, with what else each is a kind of."""
    lines = ""
    for name, node in classes.items():
        bases = [ast.unparse(each) for each in node.bases]
        ours = [each for each in bases if each in classes]
        if (ours or [None])[0] == base:
            others = ", ".join(each for each in bases if each not in classes)
            lines += f"{indent}{name}  ({others})\n" if others else f"{indent}{name}\n"
            lines += _draw(classes, name, indent + "    ")
    return lines


def _find(place: str, name: str) -> tuple[str, ast.FunctionDef | ast.ClassDef]:
    """The file, without its ending, and the definition."""
    folder = ROOT / PACKAGE / place
    files = [f"{place}/{path.stem}" for path in sorted(folder.glob("*.py"))] if folder.is_dir() else [place]
    [found] = [(file, definitions[name]) for file in files if name in (definitions := _definitions(file))]
    return found


def _definitions(file: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    body = ast.parse((ROOT / PACKAGE / f"{file}.py").read_text(encoding="utf-8")).body
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _render(file: str, node: ast.FunctionDef | ast.ClassDef) -> str:
    source = f"[source](../{PACKAGE}/{file}.py)"
    if isinstance(node, ast.FunctionDef):
        return f"\n### {node.name}\n\n{_signature(node)}\n{_prose(node)}\n\n{source}\n"
    text = f"\n### {node.name}\n\n{_prose(node)}\n\n{source}\n"
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    if fields:
        rows = "".join(f"{ast.unparse(each.target)}: {ast.unparse(each.annotation)}\n" for each in fields)
        text += f"\n```text\n{rows}```\n"
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_"):
            text += f"\n#### {node.name}.{each.name}\n\n{_signature(each)}\n{_prose(each)}\n"
    return text


def _signature(node: ast.FunctionDef) -> str:
    arguments = re.sub(r"^(self|cls)(, )?", "", ast.unparse(node.args))
    decorators = [ast.unparse(each) for each in node.decorator_list]
    call = node.name if "property" in decorators else f"{node.name}({arguments})"
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    kind = "with " if "contextmanager" in decorators else ""
    lines = textwrap.wrap(f"{kind}{call}{returned}", 100, subsequent_indent="    ")
    return "```text\n" + "\n".join(lines) + "\n```\n"


def _prose(node: ast.FunctionDef | ast.ClassDef) -> str:
    return ast.get_docstring(node) or ""


if __name__ == "__main__":
    API.write_text(render_api(), encoding="utf-8")
    ERRORS.write_text(render_errors(), encoding="utf-8")
    ARCHITECTURE.write_text(render_map(), encoding="utf-8")
