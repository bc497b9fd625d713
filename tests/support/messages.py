"""Every message of ours that a user can meet, read from the source: errors, hints, warnings, findings of doctor."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"
# besides our error classes: what is called with words for the user. `bad` is doctor's, `say` and `_say` the runner's.
SPEAKERS = {"warning", "error", "critical", "warn", "warn_once", "_warn", "say", "_say", "bad", "complain"}
CONSTANTS = dict.fromkeys(("COMMAND", "PROGRAM", "_PROGRAM"), "python -m ipfs_accelerate_py.hook")
REASONS = {"reason", "problem", "reasons"}
OTHER_ERRORS = {"ValueError", "Mismatch", "Stop"}
ENOUGH = 9  # letters: what has fewer is no message but a frame such as "...: ..."


def messages(enough: int = ENOUGH) -> dict[str, str]:
    """Message, with `...` for what varies -> where it stands (file:line)."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py")) if ".venv" not in path.parts}
    errors = _error_classes(trees.values())
    found: dict[str, str] = {}
    for path, tree in trees.items():
        values = _values(tree)
        for node in ast.walk(tree):
            for expression in _spoken(node, errors):
                texts = [*_texts(expression, values), *_reasons(expression, values)]
                for text in map(_normalise, "\nHint: ".join(texts).split("\nHint: ")):
                    if sum(map(str.isalpha, text)) >= enough:
                        found.setdefault(text, f"{path.relative_to(SOURCE)}:{expression.lineno}")
    return found


def _error_classes(trees: Iterator[ast.Module] | object) -> set[str]:
    """IPFSAccelerateError and whatever is derived from it, by name."""
    names, classes = {"IPFSAccelerateError"}, []
    for tree in trees:  # type: ignore[attr-defined]
        classes += [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while True:
        more = {each.name for each in classes if {getattr(base, "id", "") for base in each.bases} & names} - names
        if not more:
            return names | OTHER_ERRORS
        names |= more


def _spoken(node: ast.AST, errors: set[str]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign) and any(
        isinstance(each, ast.Attribute) and each.attr == "hint" for each in node.targets
    ):
        yield node.value
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and _is_finding(node):
        yield from node.elts
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    to_stderr = name == "print" and any(word.arg == "file" for word in node.keywords)
    if name == "good":  # what is well is no message; how to get more is
        yield from node.args[1:]
    if name == "Check":
        yield from node.args[2:3]
    if name in errors or name in SPEAKERS or to_stderr:
        yield from node.args[-1:] if name == "_warn" else node.args
        yield from (word.value for word in node.keywords if word.arg == "hint")


def _is_finding(node: ast.Tuple) -> bool:
    """A pair of a finding and its hint, as doctor collects them."""
    return all(isinstance(each, ast.JoinedStr) for each in node.elts)


def _values(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Variable -> what is assigned to it anywhere in the module."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("_"):
            returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
            found.setdefault(f"{node.name}()", []).extend(filter(None, returned))
    return found


def _texts(expression: ast.expr, values: dict[str, list[ast.expr]], depth: int = 0) -> list[str]:
    """The texts that an expression can be."""
    if depth > 4:
        return []
    if isinstance(expression, ast.Constant):
        text = expression.value
        return [re.sub(r"%[-+.\d]*[srdfgx]", "...", text)] if isinstance(text, str) else []
    if isinstance(expression, ast.JoinedStr):
        return ["".join(map(_part, expression.values))]
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
        left = _texts(expression.left, values, depth + 1) or ["..."]
        right = _texts(expression.right, values, depth + 1) or ["..."]
        return [a + b for a in left for b in right]
    if isinstance(expression, ast.IfExp):
        return [*_texts(expression.body, values, depth + 1), *_texts(expression.orelse, values, depth + 1)]
    if isinstance(expression, ast.BoolOp):
        return [text for each in expression.values for text in _texts(each, values, depth + 1)]
    name = ""
    if isinstance(expression, ast.Name):
        name = expression.id
    elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name):
        name = f"{expression.func.id}()"
    return [text for value in values.get(name, []) for text in _texts(value, values, depth + 1)]


def _reasons(expression: ast.expr, values: dict[str, list[ast.expr]]) -> list[str]:
    """What an f-string says in its middle: `... is refused: {reason}`."""
    names = [getattr(each.value, "id", "") for each in ast.walk(expression) if isinstance(each, ast.FormattedValue)]
    known = [value for name in names if name in REASONS for value in values.get(name, [])]
    return [text for value in known for text in _texts(value, values, 1)]


def _part(value: ast.expr) -> str:
    if isinstance(value, ast.FormattedValue):
        return CONSTANTS.get(getattr(value.value, "id", ""), "...")
    return str(value.value) if isinstance(value, ast.Constant) else "..."


def _normalise(text: str) -> str:
    """One line without the marks of Markdown, and without what goes before every error and hint."""
    text = re.sub(r"^(?:(?:Error|Hint): )+", "", " ".join(text.replace("`", "").split()))
    return re.sub(r"(?:\.\.\.\s?)*\.\.\.", "...", text)
