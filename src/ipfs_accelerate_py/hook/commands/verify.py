"""`verify`: hashes again what the store has."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from . import GOOD, UNVERIFIED
from .output import count_bytes, open_store, print_json, tell
from .parser import add_repos

HELP = "hash the files in the store again; ends with 3 if one is damaged"
EXAMPLES = """\
verify
verify org/name --repair
verify --json"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "*", "a model, as org/name (default: all)")
    parser.add_argument("--repair", action="store_true", help="remove what is damaged and fetch it again")


def execute(args: Namespace) -> int:
    settings, store = open_store(args)
    from ...storage.audit import verify_store

    with count_bytes("verify") as count:
        result = verify_store(store, settings, repo_ids=tuple(args.repos), repair=args.repair, progress=count)
    left = [row for row in result["bad"] if not row.get("repaired")]
    if args.json:
        print_json(result)
    for row in result["bad"]:
        where = f"{row['repo']} {row['path']} (commit {row['commit'][:12]})"
        if row.get("repaired"):
            tell(args, f"repaired {where}")
        else:
            print(f"Error: {where} is damaged: expected {row['expected']}, got {row['actual']}", file=sys.stderr)
    if left and not args.repair:
        print("Hint: add --repair to fetch what is damaged again", file=sys.stderr)
    elif left:
        print("Hint: the rest could not be repaired now; try again when its sources answer", file=sys.stderr)
    tell(args, f"{result['files']} files, {len(left)} damaged")
    return UNVERIFIED if left else GOOD
