"""`publish`: models to the fleet."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from ..output import count_bytes, open_store, say_size
from ..parser import add_repos, add_revision, check_revisions
from .fetch import do_each

HELP = "give models to the IPFS node, for the rest of the fleet"
EXAMPLES = """\
publish org/name
publish org/name@v1.0 --all"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "+", "a model, as org/name or org/name@revision")
    add_revision(parser)
    parser.add_argument("--all", action="store_true", help="fetch what the store lacks of the commit first")
    parser.add_argument("--closed", action="store_true", help="also gated or private repos, in a private swarm")


def execute(args: Namespace) -> int:
    check_revisions(args)
    open_store(args)
    return do_each(args, lambda repo, revision: _publish(args, repo, revision), _line)


def _publish(args: Namespace, repo: str, revision: str | None) -> dict[str, Any]:
    from ...operations import publish_repo

    with count_bytes("publish") as count:
        return publish_repo(repo, revision=revision, complete=args.all, closed=args.closed, progress=count)


def _line(result: dict[str, Any]) -> str:
    what = f"commit {result['commit']}, {result['files']} files, {say_size(result['bytes'])}"
    return f"{result['repo']}: {what}, {result['cid']} under /ipns/{result['publisher']}"
