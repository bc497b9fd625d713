"""`ls`: what the store and the caches below it have."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..output import open_store, print_json, print_table, say_size, tell
from . import GOOD

HELP = "list the models that are here: where, how large, published or not, last used"
EXAMPLES = """\
ls
ls --json"""


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    settings, store = open_store(args)
    from ...maintenance.inventory import list_repos

    repos = list_repos(store, settings)
    if args.json:
        print_json(repos)
        return GOOD
    if not repos:
        tell(args, f"no models in {store.root}")
        return GOOD
    head = ("REPO", "COMMIT", "REFS", "FILES", "SIZE", "PUBLISHED", "LAST USED", "WHERE")
    rows = [
        (
            row["repo"],
            row["commit"][:12],
            ",".join(row["refs"]),
            f"{row['files']}{' (not all)' if row.get('complete') is False else ''}",
            say_size(row["size"]),
            "yes" if row["published"] else "no",
            row["last_used"] or "",
            row["tier"],
        )
        for row in repos
    ]
    print_table(args, head, rows)
    return GOOD
