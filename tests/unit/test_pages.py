"""The pages that repeat what the code says: they say the same."""

import re
import sys
from pathlib import Path

import pytest

from ipfs_accelerate_py import __version__, errors
from ipfs_accelerate_py.config import forms
from tests.support import api_docs, command_docs

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_commands_page_is_what_help_says(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    # lines are broken in another way by other versions of Python
    assert command_docs.PAGE.read_text(encoding="utf-8").split() == command_docs.render().split(), (
        "run `python -m tests.support.command_docs`"
    )


@pytest.mark.parametrize("key", forms.KEYS)
def test_each_setting_has_its_row(key, monkeypatch):
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    default = "`HF_HUB_CACHE`" if key == "lower" else forms.KEYS[key][1]()
    default = f"`{default.strip('`')}`" if default else "none"
    start = f"| `{key}` | `IPFS_ACCELERATE_{key.upper()}` | {default} | "
    assert [line for line in SETTINGS.splitlines() if line.startswith(start)], start


def test_no_row_for_a_setting_that_is_none():
    rows = [line.split("`")[1] for line in SETTINGS.splitlines() if line.startswith("| `") and line.count(" | ") == 3]
    assert rows == [*forms.KEYS]


def test_the_readme_leads_to_each_page():
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    # the site's own: where it begins, and what it takes over from elsewhere
    pages -= {f"docs/{name}.md" for name in ("index", "changelog", "contributing", "examples")}
    links = set(re.findall(r"\]\(([^)#:]+)\)", README))
    assert pages <= links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_api_and_errors_pages_are_what_the_docstrings_say():
    hint = "run `python -m tests.support.api_docs`"
    assert api_docs.API.read_text(encoding="utf-8") == api_docs.render_api(), hint
    assert api_docs.ERRORS.read_text(encoding="utf-8") == api_docs.render_errors(), hint
    assert api_docs.ARCHITECTURE.read_text(encoding="utf-8") == api_docs.render_map(), hint


def test_the_tree_of_errors_is_pythons():
    """Read from the classes, where the page was written from the text."""

    def walk(cls, depth=0):
        yield depth, cls.__name__, {base.__name__ for base in cls.__bases__ if base.__module__ == "builtins"}
        for below in cls.__subclasses__():
            if below.__module__ == errors.__name__:
                yield from walk(below, depth + 1)

    tree = api_docs.ERRORS.read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    drawn = [re.fullmatch(r"( *)(\w+)(?:  \((.*)\))?", line).groups() for line in tree.splitlines()]
    found = [(len(indent) // 4, name, set((others or "").split(", ")) - {""}) for indent, name, others in drawn]
    assert found == list(walk(errors.IPFSAccelerateError))


def test_the_changelog_has_its_headings():
    """Keep a Changelog's: a version with its day, and kinds of change; the newest version is the package's."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    first, *versions = [line[3:] for line in lines if line.startswith("## ")]
    assert first == "[Unreleased]"
    days = [re.fullmatch(r"\[([^]]+)\] - \d{4}-\d\d-\d\d", line) for line in versions]
    assert all(days) and days[0][1] == __version__
    kinds = {line[4:] for line in lines if line.startswith("### ")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_each_extra_that_is_named_exists():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:\.|ipfs_accelerate_py)\[([a-z0-9]+)\]", text))
        for sentence in re.findall(r"[^.]*\bextras?\b[^.]*\.", text):
            named |= set(re.findall(r"`([a-z0-9]+)`", sentence))
        assert named <= set(extras), page
