"""The pages that repeat what the code says: they say the same."""

import re
from pathlib import Path

import pytest

from ipfs_accelerate_py.config import forms
from tests.support import command_docs

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
