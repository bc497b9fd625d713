"""What this machine holds for the fleet: the public repos in its store; and the route that tells it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from aiohttp import web

from ..config.settings import read_settings
from ..errors import SourceError
from ..fleet.members import is_peer, rank
from ..net import timeouts
from ..publish import eligibility
from ..store import layout
from .agent import AGENT, Agent

if TYPE_CHECKING:
    from ..store.store import Store

PATH = "/fleet/1/models"
_LOOK = 3.0  # seconds between two looks at the store
_RENEW = 60.0  # seconds between two times that the trackers are told, where nothing has changed
_SECONDS = 2.0
_PROVE = 30.0  # seconds between two questions to the Hub
_AT_MOST = 5000  # repos that are told of
GIVEN_ROWS = 1000  # machines of which is told how much they were given
_MOST = 1 << 60  # bytes: nobody has as many


@dataclass(frozen=True)
class Holding:
    """A repo of which this machine has files: its folder's name, and their number and sum in bytes."""

    folder: str
    files: int
    bytes: int


def add_routes(app: web.Application) -> None:
    """The route by which the others see what is here."""
    app.router.add_post(PATH, _answer)


def find_folders(store: Store) -> list[str]:
    """The folders of the public repos of which there are files here."""
    found, settings = [], read_settings()
    with contextlib.suppress(OSError), os.scandir(store.root) as entries:
        for entry in entries:
            repo_id = layout.repo_of(entry.name)
            if (
                repo_id is not None
                and os.path.isdir(os.path.join(entry.path, "blobs"))
                and eligibility.may_be_given(store, settings, repo_id)
            ):
                found.append(entry.name)
    return sorted(found)[:_AT_MOST]


def weigh(store: Store, folder: str) -> Holding:
    """How much is here of a repo."""
    sizes = []
    with contextlib.suppress(OSError), os.scandir(store.root / folder / "blobs") as entries:
        for entry in entries:
            if layout.is_sha256(entry.name) or layout.is_commit(entry.name):
                with contextlib.suppress(OSError):
                    sizes.append(entry.stat().st_size)
    return Holding(folder, len(sizes), sum(sizes))


def prove_again(store: Store, folders: list[str]) -> None:
    """Ask the Hub about one of the repos of which its word is old: a repo may be closed by now."""
    for folder in folders:
        if eligibility.prove_again(store, read_settings(), layout.repo_of(folder) or "", timeouts.IDLE):
            return


async def keep_telling(agent: Agent) -> None:
    """Tell the trackers of each repo that this machine holds it: when that is news, and now and then."""
    told: dict[str, tuple[str, float]] = {}  # folder -> its tracker, and when it was told
    loop = asyncio.get_running_loop()
    proving: asyncio.Future[None] | None = None
    proven = 0.0
    while True:
        folders = await loop.run_in_executor(None, find_folders, agent.store)
        if proving is None or (proving.done() and loop.time() - proven > _PROVE):
            proving, proven = loop.run_in_executor(None, prove_again, agent.store, folders), loop.time()
        peers = {member.peer: member.agent for member in agent.members.alive()}
        messages: dict[str, list[str]] = {}
        for folder in folders:
            tracker = rank(folder, [agent.fleet.peer, *peers])[0]
            at = told.get(folder)
            if at is None or at[0] != tracker or loop.time() - at[1] > _RENEW:
                messages.setdefault(tracker, []).append(folder)
        for tracker, group in messages.items() if not agent.is_leaving else ():
            with contextlib.suppress(SourceError):
                if tracker == agent.fleet.peer:
                    agent.directory.hold(agent.fleet.peer, group)
                else:
                    document = {"folders": group}
                    await agent.calls.post(peers[tracker], "/fleet/1/hold", document, _SECONDS)
                told.update({folder: (tracker, loop.time()) for folder in group})
        told = {folder: at for folder, at in told.items() if folder in folders}
        await asyncio.sleep(_LOOK)


def weigh_all(store: Store) -> list[dict[str, Any]]:
    """What is here, as a document."""
    return [asdict(weigh(store, folder)) for folder in find_folders(store)]


def read_rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What another machine tells that it holds; rows that are none are left out."""
    rows = document.get("models")
    found = []
    for row in rows[:_AT_MOST] if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("folder"), str) and layout.repo_of(row["folder"]) is not None:
            files, size = row.get("files"), row.get("bytes")
            if _is_size(files) and _is_size(size):
                found.append(asdict(Holding(row["folder"], files, size)))
    return found


def read_given(document: dict[str, Any]) -> dict[str, int]:
    """What another machine tells that it gave to whom: peer id -> bytes; rows that are none are left out."""
    given = document.get("given")
    rows = list(given.items())[:GIVEN_ROWS] if isinstance(given, dict) else []
    return {peer: size for peer, size in rows if is_peer(peer) and _is_size(size)}


def _is_size(size: object) -> TypeGuard[int]:
    return type(size) is int and 0 <= size < _MOST


async def _answer(request: web.Request) -> web.Response:
    agent = request.app[AGENT]
    rows = await asyncio.get_running_loop().run_in_executor(None, weigh_all, agent.store)
    return web.json_response({"models": rows, "given": agent.counts.sum_given(GIVEN_ROWS)})
