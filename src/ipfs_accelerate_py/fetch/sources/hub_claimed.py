"""A file that this machine has claimed: downloaded straight into the store, in order, so that others can follow it."""

from __future__ import annotations

from ...errors import SourceError
from ...hub.unwell import TOO_MANY, status_of
from ...store.verify import Mismatch
from ...store.writer import Writer
from .. import progress
from ..assembly import Assembly, Yielded, is_shared
from ..claims import Asked
from ..givers import name_of
from . import FileRequest, hub_loop, report_corrupt


def give(request: FileRequest, writer: Writer, claim: Asked) -> bool:
    """Download the whole into the store as it comes; False if the client is to be asked in its own way, which tries
    what this loop does not, and has the words for what it is refused.
    """
    assembly = Assembly(claim, f"{request.repo_id}, {request.path}", writer)
    try:
        if is_shared(request.entry.size):
            _assemble(request, writer, assembly)
        else:
            hub_loop.copy(request, writer)
        writer.check()
        return True
    except Mismatch:  # the bytes may have been damaged on the way
        writer.start()
        return bool(assembly.givers) and _give_alone(request, writer, claim, assembly)
    except Yielded:
        raise
    except SourceError as error:
        limited = error.__cause__ is not None and status_of(error.__cause__) == TOO_MANY
        if writer.cancelled or limited:  # the loop has waited as often as the client would
            raise
        return bool(writer.size) and hub_loop.give_rest(request, writer)


def _give_alone(request: FileRequest, writer: Writer, claim: Asked, assembly: Assembly) -> bool:
    """Download the whole once more, by which it is seen which of the members has lied; False as above."""
    try:
        hub_loop.copy(request, writer)
        writer.check()
    except Mismatch:
        writer.start()
        return False
    except SourceError:
        return False
    for peer, where, mismatch in assembly.givers.find_liars(writer.digest):
        report_corrupt(name_of(peer), request.path, mismatch)
        claim.note_corrupt(peer, f"{request.repo_id}, {request.path}, {where}: {mismatch}")
    return True


def _assemble(request: FileRequest, writer: Writer, assembly: Assembly) -> None:
    bar = progress.begin(request.path, request.entry.size)
    bar.source("hub", writer.size)
    try:
        assembly.fill(lambda until: hub_loop.copy(request, writer, until, hub_loop.Bar(bar)))
    finally:
        bar.finish()
