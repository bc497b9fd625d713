"""`verify`: hashes again what the store has."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..output import count_bytes, open_store, print_json, tell, warn
from ..parser import add_repos
from . import GOOD, UNVERIFIED

HELP = "hash the files in the store again; ends with 3 if one is damaged"
EXAMPLES = """\
verify
verify org/name --repair
verify org/name@v1.0
verify --json"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "*", "a model, as org/name or org/name@revision (default: all)")
    parser.add_argument("--repair", action="store_true", help="remove what is damaged and fetch it again")


def execute(args: Namespace) -> int:
    settings, store = open_store(args)
    from ...maintenance.audit import verify_store

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
            warn(f"Error: {where} is damaged: expected {row['expected']}, got {row['actual']}")
    if left and not args.repair:
        warn("Hint: add --repair to fetch what is damaged again")
    elif left:
        repos = " ".join(dict.fromkeys(row["repo"] for row in left))
        warn(
            "Hint: what is damaged was removed and could not be fetched now; when a source answers: "
            f"python -m ipfs_accelerate_py.hook fetch {repos}"
        )
    tell(args, f"{result['files']} files, {len(left)} damaged")
    return UNVERIFIED if left else GOOD
