"""`publish`: models, datasets and spaces to the fleet."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ...files import say_size
from ..output import prepare
from ..parser import add_repos, add_revision, check_revisions
from .fetch import do_each

if TYPE_CHECKING:
    from ...operations import Publication

HELP = "give models, datasets and spaces to the IPFS node, for the rest of the fleet"
MORE = "\nWhat is named here is published whatever IPFS_ACCELERATE_PUBLISH and _PUBLISH_KINDS say of the background."
EXAMPLES = """\
publish org/name
publish org/name@v1.0 --all
publish dataset:org/name"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "+")
    add_revision(parser)
    parser.add_argument("--all", action="store_true", help="fetch what the store lacks of the commit first")
    parser.add_argument("--closed", action="store_true", help="also gated or private repos, in a private swarm")


def execute(args: Namespace) -> int:
    check_revisions(args)
    settings = prepare(args)
    from ...operations import count_bytes, publish_repo

    def publish(repo_id: str, revision: str | None) -> Publication:
        with count_bytes("publish") as count:
            return publish_repo(
                settings, repo_id, revision=revision, complete=args.all, closed=args.closed, progress=count
            )

    return do_each(args, publish, _line)


def _line(done: Publication) -> str:
    what = f"commit {done.commit}, {done.files} files, {say_size(done.bytes)}"
    return f"{done.repo}: {what}, {done.cid} under /ipns/{done.publisher}"
