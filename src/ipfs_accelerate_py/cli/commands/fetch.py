"""`fetch`: models, datasets and spaces into the store."""

from __future__ import annotations

import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ...files import say_size
from ..output import prepare, print_error, print_json, tell, warn
from ..parser import add_repos, add_revision, check_revisions
from ..program import GOOD

if TYPE_CHECKING:
    from ...operations import Fetched

HELP = "bring models, datasets and spaces into the store, all files of the commit"
MORE = "\nA dataset may also be written as datasets/org/name or hf://datasets/org/name, a space likewise."
EXAMPLES = """\
fetch org/name
fetch org/name@v1.0 dataset:org/other
fetch org/name org/other --revision main --json"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "+")
    add_revision(parser)


def execute(args: Namespace) -> int:
    check_revisions(args)
    settings = prepare(args)
    from ...operations import fetch_repo

    return do_each(args, lambda repo, revision: fetch_repo(settings, repo, revision=revision), _line)


def _line(done: Fetched) -> str:
    given = ", ".join(f"{supplied.files} from {name}" for name, supplied in done.sources.items())
    what = f"commit {done.commit}, {done.files} files, {say_size(done.bytes)}"
    return f"{done.repo}: {what} ({given or 'all were here'})"


class Result(Protocol):
    """The result of an operation on a repo."""

    def to_dict(self) -> dict[str, Any]: ...


Done = TypeVar("Done", bound=Result)


def do_each(args: Namespace, work: Callable[[str, str | None], Done], line: Callable[[Done], str]) -> int:
    """Do it for every repo and revision; a failure does not keep the others from being done."""
    from ...errors import IPFSAccelerateError
    from ...operations import read_name

    results, code = [], GOOD
    for repo in args.repos:
        try:
            repo_id, revision = read_name(repo)
            result = work(repo_id, revision or args.revision)
        except IPFSAccelerateError as error:
            if len(args.repos) == 1:
                raise
            if args.debug:
                warn(traceback.format_exc().rstrip())
            code = max(code, print_error(error, repo))
            continue
        results.append(result.to_dict())
        tell(args, line(result))
        if sys.stdout is not None:
            sys.stdout.flush()  # the next may take an hour
    if args.json:
        print_json(results[0] if len(args.repos) == 1 else results)
    return code
