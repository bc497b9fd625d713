"""`fetch`: models into the store."""

from __future__ import annotations

import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from ..output import open_store, print_error, print_json, say_size, tell, warn
from ..parser import add_repos, add_revision, check_revisions
from . import GOOD

HELP = "bring models into the store, all files of the commit"
EXAMPLES = """\
fetch org/name
fetch org/name@v1.0 org/other
fetch org/name org/other --revision main --json"""


def declare(parser: ArgumentParser) -> None:
    add_repos(parser, "+", "a model, as org/name or org/name@revision")
    add_revision(parser)


def execute(args: Namespace) -> int:
    check_revisions(args)
    open_store(args)
    from ...operations import fetch_repo

    return do_each(args, lambda repo, revision: fetch_repo(repo, revision=revision), _line)


def _line(result: dict[str, Any]) -> str:
    given = ", ".join(f"{row['files']} from {name}" for name, row in result.get("sources", {}).items())
    size = say_size(result["bytes"])
    return f"{result['repo']}: commit {result['commit']}, {result['files']} files, {size} ({given or 'all were here'})"


def do_each(
    args: Namespace, work: Callable[[str, str | None], dict[str, Any]], line: Callable[[dict[str, Any]], str]
) -> int:
    """Do it for each repo and revision; one that fails does not keep the others from being done."""
    from ...errors import IPFSAccelerateError
    from ...store.layout import split_revision

    results, code = [], GOOD
    for repo in args.repos:
        try:
            repo_id, revision = split_revision(repo)
            result = work(repo_id, revision or args.revision)
        except IPFSAccelerateError as error:
            if len(args.repos) == 1:
                raise
            if args.debug:
                warn(traceback.format_exc().rstrip())
            code = max(code, print_error(error, repo))
            continue
        results.append(result)
        tell(args, line(result))
        if sys.stdout is not None:
            sys.stdout.flush()  # the next may take an hour
    if args.json:
        print_json(results[0] if len(args.repos) == 1 else results)
    return code
