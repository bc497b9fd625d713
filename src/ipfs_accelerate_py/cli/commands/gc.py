"""`gc`: makes room."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ...files import say_size
from ..output import prepare, print_json, print_table, tell
from ..program import GOOD
from ..units import read_age, read_size

if TYPE_CHECKING:
    from ...operations import Verdict

HELP = "remove what is no longer needed: left-overs, and commits that are old or too many"
MORE = """
What a running program uses, and what the lock file in IPFS_ACCELERATE_LOCK names, stays.
Without --older-than and --max-size only left-overs go: what no commit refers to."""
EXAMPLES = """\
gc --dry-run
gc --older-than 30d
gc --max-size 50GB"""


def declare(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show what would go, and remove nothing")
    parser.add_argument("--older-than", metavar="AGE", type=read_age, help="not used for so long: 12h, 30d, 2w")
    parser.add_argument(
        "--max-size", metavar="SIZE", type=read_size, help="until the store is this small: 500MB, 50GB, 1TiB"
    )


def execute(args: Namespace) -> int:
    settings = prepare(args)
    from ...operations import collect_garbage, count_bytes

    with count_bytes("gc") as count:
        done = collect_garbage(
            settings, dry_run=args.dry_run, older_than=args.older_than, max_size=args.max_size, progress=count
        )
    if args.json:
        print_json(done.to_dict())
        return GOOD
    rows = [_row("would go" if args.dry_run else "removed", verdict) for verdict in done.removed]
    rows += [_row("stays", verdict) for verdict in done.kept]
    if rows:
        print_table(args, ("", "REPO", "COMMIT", "SIZE", "WHY"), rows)
    tell(args, f"{say_size(done.freed)} {'would be freed' if args.dry_run else 'freed'}")
    return GOOD


def _row(what: str, verdict: Verdict) -> tuple[str, ...]:
    return what, verdict.repo or "", (verdict.commit or "")[:12], say_size(verdict.size), verdict.reason
