"""`lock`: a lock file that pins repos to commits and hashes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...files import say_size
from ..output import prepare, print_json, tell
from ..parser import add_repos, add_revision, check_revisions, refuse
from ..program import GOOD

HELP = "write a lock file: which commit and which hashes each repo has"
MORE = "\nA program with IPFS_ACCELERATE_LOCK=FILE loads exactly these."
EXAMPLES = """\
lock org/name org/other
lock org/name@v1.0 dataset:org/other --output models.lock
lock --closed"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "*", "all in the store")
    add_revision(parser)
    parser.add_argument(
        "--output", metavar="FILE", help="the file (default: IPFS_ACCELERATE_LOCK, else ./ipfs_accelerate.lock)"
    )
    parser.add_argument(
        "--closed", action="store_true", help="also name gated or private repos; a lock file is made to be passed on"
    )


def execute(args: Namespace) -> int:
    if args.revision and not args.repos:
        refuse("--revision needs a REPO", "such as 'lock org/name --revision v1.0'")
    check_revisions(args)
    settings = prepare(args)
    from ...operations import lock_repos

    path = Path(args.output) if args.output else None
    done = lock_repos(settings, args.repos, revision=args.revision, path=path, closed=args.closed)
    if args.json:
        print_json(done.to_dict())
    for repo in done.repos:
        tell(args, f"{repo.repo}: commit {repo.commit}, {repo.files} files, {say_size(repo.bytes)}")
    for repo_id in done.left_out:
        tell(args, f"{repo_id}: left out, it is not known to be public (--closed names it all the same)")
    tell(args, f"wrote {done.lock}")
    return GOOD
