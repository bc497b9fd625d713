"""`ls`: what the store and the caches below it have."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ...files import say_size
from ..output import prepare, print_json, print_table, tell
from ..program import GOOD

if TYPE_CHECKING:
    from ...operations import StoredCommit

HELP = "list the models, datasets and spaces that are here: where, how large, published or not, last used"
EXAMPLES = """\
ls
ls --json"""


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    settings = prepare(args)
    from ...operations import list_commits

    commits = list_commits(settings)
    if args.json:
        print_json([commit.to_dict() for commit in commits])
        return GOOD
    if not commits:
        tell(args, f"no models in {settings.home}")
        return GOOD
    head = ("REPO", "COMMIT", "REFS", "FILES", "SIZE", "PUBLISHED", "LAST USED", "WHERE")
    print_table(args, head, map(_row, commits))
    return GOOD


def _row(commit: StoredCommit) -> tuple[str, ...]:
    return (
        commit.repo,
        commit.commit[:12],
        ",".join(commit.refs),
        f"{commit.files}{' (not all)' if commit.complete is False else ''}",
        say_size(commit.size),
        "yes" if commit.published else "no",
        commit.last_used.isoformat(timespec="seconds"),
        commit.tier,
    )
