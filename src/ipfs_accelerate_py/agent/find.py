"""The routes `find`, `range`, `hold`, `release` and `corrupt`: who has a file, who fetches it or a range of it now, and
whom to follow.

Members ask the one that answers for a repo; the programs of a machine ask their own agent, which asks that one.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..fleet.directory import File
from ..store import layout
from ..store.entry import MAX_SIZE
from .agent import AGENT, Agent, read_document, require_local
from .tracker import Trackers

FIND, HOLD, RELEASE, RANGE = "/fleet/1/find", "/fleet/1/hold", "/fleet/1/release", "/fleet/1/range"
CORRUPT = "/fleet/1/corrupt"  # of the local site
TRACKERS = web.AppKey("trackers", Trackers)
_MOST_SECONDS = 5.0
_TEXT = 500  # characters
_LOST = 64  # members that a question names


def add_routes(app: web.Application) -> None:
    """The routes, for both sites."""
    agent = app[AGENT]
    answers = _Answers(agent)
    by_path = {FIND: answers.find, HOLD: answers.hold, RELEASE: answers.release, RANGE: answers.range}
    app[TRACKERS] = Trackers(agent, by_path)
    for path in by_path:
        app.router.add_post(path, _answer)
    app.router.add_post(CORRUPT, _note_corrupt)


class _Answers:
    """What this machine answers, from its directory. HTTPBadRequest for what cannot be read."""

    def __init__(self, agent: Agent) -> None:
        self.agent, self.directory = agent, agent.directory

    def find(self, peer: str, question: dict[str, Any]) -> dict[str, Any]:
        size, arrived = _size(question.get("size")), _size(question.get("arrived", 0))
        lost = question.get("lost", [])
        if not isinstance(lost, list) or len(lost) > _LOST or not all(isinstance(each, str) for each in lost):
            raise web.HTTPBadRequest
        found = self.directory.find(
            peer,
            _file_of(question),
            size,
            claim=question.get("claim") is True,
            lost=lost,
            slow=str(question.get("slow", "")),
            arrived=arrived,
            until=_size(question.get("until", 0)),
            have=_ranges(question.get("have", [])),
        )
        answer: dict[str, Any] = {
            "holders": [row for each in found.holders if (row := self._row(each))["url"]],
            "claim": None
            if found.follow is None
            else {**self._row(found.follow), "mine": found.mine, "arrived": found.arrived},
        }
        if found.ranges:
            answer["ranges"] = [{"start": each.start, "end": each.end, **self._row(each.peer)} for each in found.ranges]
        return answer

    def range(self, peer: str, word: dict[str, Any]) -> dict[str, Any]:
        """A follower has time to fetch a range; `failed`: where the one begins that it gave up."""
        file, size, length = _file_of(word), _size(word.get("size")), _size(word.get("length"))
        if (failed := word.get("failed")) is not None:
            self.directory.drop_range(peer, file, _size(failed))
            return {}
        found = self.directory.take_range(peer, file, size, length)
        return {} if found is None else {"start": found.start, "end": found.end}

    def hold(self, peer: str, word: dict[str, Any]) -> dict[str, Any]:
        folders = word.get("folders")
        if not isinstance(folders, list) or not all(isinstance(each, str) for each in folders):
            raise web.HTTPBadRequest
        self.directory.hold(peer, filter(layout.repo_of, folders))
        return {}

    def release(self, peer: str, word: dict[str, Any]) -> dict[str, Any]:
        self.directory.release(peer, _file_of(word), word.get("done") is True)
        return {}

    def _row(self, peer: str) -> dict[str, str]:
        if peer == self.agent.fleet.peer:
            return {"peer": peer, "url": self.agent.url}
        member = self.agent.members.get(peer)
        return {"peer": peer, "url": "" if member is None else member.agent}


async def _answer(request: web.Request) -> web.Response:
    trackers = request.app[TRACKERS]
    document = await read_document(request)
    if not request["local"]:
        return web.json_response(trackers.answer(request.path, request["peer"], document))
    folder, _ = _file_of(document)
    if request.path == RELEASE:  # the program that has ended does not wait for it
        trackers.tell(request.path, folder, document)
        return web.json_response({})
    if request.path == FIND and len(trackers.there()) < 2:  # no other gives or follows: as without a fleet
        return web.json_response({"holders": [], "claim": None})
    return web.json_response(await trackers.ask(request.path, folder, document, _seconds(document)))


async def _note_corrupt(request: web.Request) -> web.Response:
    """A program of this machine was given wrong bytes by a member."""
    require_local(request)
    agent, document = request.app[AGENT], await read_document(request)
    peer, text = document.get("peer"), document.get("text")
    if not isinstance(peer, str) or not isinstance(text, str) or agent.members.get(peer) is None:
        raise web.HTTPBadRequest
    agent.corrupt[peer] = text[:_TEXT]
    return web.json_response({})


def _file_of(document: dict[str, Any]) -> File:
    folder, etag = document.get("folder"), document.get("etag")
    if not isinstance(folder, str) or layout.repo_of(folder) is None:
        raise web.HTTPBadRequest
    if not (layout.is_commit(etag) or layout.is_sha256(etag)):
        raise web.HTTPBadRequest
    return folder, str(etag)


def _seconds(document: dict[str, Any]) -> float:
    """How long those who answer for a repo may take together, where the program has `seconds` for our answer."""
    given = document.get("seconds")
    return min(_MOST_SECONDS, 0.75 * given) if isinstance(given, int | float) and given > 0 else _MOST_SECONDS


def _ranges(rows: object) -> list[tuple[int, int]]:
    if not isinstance(rows, list) or len(rows) > _LOST:
        raise web.HTTPBadRequest
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2]
    return [(_size(start), _size(end)) for start, end in pairs]


def _size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_SIZE:
        raise web.HTTPBadRequest
    return value
