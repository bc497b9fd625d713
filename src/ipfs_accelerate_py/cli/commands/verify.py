"""`verify`: hashes again what the store has."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..output import prepare, print_json, tell, warn
from ..parser import add_repos
from ..program import GOOD, UNVERIFIED

HELP = "hash the files in the store again; ends with 3 if one is damaged"
EXAMPLES = """\
verify
verify org/name --repair
verify org/name@v1.0 dataset:org/name
verify --json"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "*", "all")
    parser.add_argument("--repair", action="store_true", help="remove what is damaged and fetch it again")


def execute(args: Namespace) -> int:
    settings = prepare(args)
    from ...operations import count_bytes, verify_store

    with count_bytes("verify") as count:
        audit = verify_store(settings, args.repos, repair=args.repair, progress=count)
    if args.json:
        print_json(audit.to_dict())
    for damage in audit.bad:
        where = f"{damage.repo} {damage.path} (commit {damage.commit[:12]})"
        if damage.repaired:
            tell(args, f"repaired {where}")
        else:
            warn(f"Error: {where} is damaged: expected {damage.expected}, got {damage.actual}")
    if audit.left and not args.repair:
        warn("Hint: add --repair to fetch what is damaged again")
    elif audit.left:
        repos = " ".join(dict.fromkeys(damage.repo for damage in audit.left))
        warn(
            "Hint: what is damaged was removed and could not be fetched now; when a source answers: "
            f"python -m ipfs_accelerate_py.hook fetch {repos}"
        )
    tell(args, f"{audit.files} files, {len(audit.left)} damaged")
    return UNVERIFIED if audit.left else GOOD
