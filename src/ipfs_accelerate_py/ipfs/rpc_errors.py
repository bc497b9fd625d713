"""What an error of the RPC client means for us: whether a node is there, what to do, and whether its breaker opens."""

from __future__ import annotations

import json

from ..errors import SourceDown, SourceError
from ..net import timeouts
from ..net.breaker import Breaker
from ..session import session

NO_RPC = (
    "set IPFS_ACCELERATE_NODE to what 'ipfs config Addresses.API' says (port 5001 if it was not changed; "
    "that of the gateway, 8080, does not do), or to off"
)
_START_IT = "start it with 'ipfs daemon', or set IPFS_ACCELERATE_NODE to its RPC address, or to off"


class NodeBreaker(Breaker[tuple[str, "str | None"]]):
    """By RPC address: why the node is not asked for a while, and the hint."""


class NodeAnswer(SourceError):
    """The node answered with an error."""


class LoginRefused(SourceDown):
    """The node wants a login, or refuses ours."""


def explain(error: Exception, command: str, address: str, *, has_login: bool) -> SourceError:
    """The error of a call as ours. Opens the breaker of a node that is not there, is silent, or refuses our login."""
    import requests
    from ipfshttpclient import exceptions

    if isinstance(error, SourceError):
        return error
    if isinstance(error, exceptions.ErrorResponse):
        return NodeAnswer(f"the node at {address} answered {command} with: {error}")
    found: SourceError
    if isinstance(error, exceptions.StatusError):
        status = getattr(getattr(error.original, "response", None), "status_code", "an error")
        if status in (401, 403):
            return _refused(address, command, status, has_login=has_login)
        return NodeAnswer(
            f"what listens at {address} answered {command} with {status}: not the RPC API of an IPFS node?", NO_RPC
        )
    if isinstance(error, requests.RequestException) and "ReadTimeout" in repr(error):  # in the middle of an answer
        error = exceptions.TimeoutError(error)
    if isinstance(error, (exceptions.DecodingError, UnicodeDecodeError, json.JSONDecodeError, RecursionError)):
        return SourceError(f"what listens at {address} is not the RPC API of an IPFS node", NO_RPC)
    if isinstance(error, exceptions.ConnectionError | exceptions.ProtocolError):
        found = SourceDown(f"no IPFS node answers at {address}", _START_IT)
        _leave_alone(address, timeouts.OPEN_DOWN, found)
        return found
    if isinstance(error, exceptions.TimeoutError):
        found = SourceError(f"the node at {address} was silent too long over {command}")
        if command != "cat":  # which may wait for a peer; all other commands the node itself ends in time
            found.hint = "see whether it is well with 'ipfs id', or set IPFS_ACCELERATE_NODE to another one, or to off"
            _leave_alone(address, timeouts.OPEN_SILENT, found)
        return found
    return SourceError(f"the node at {address}: {command}: {type(error).__name__}: {error}")


def _refused(address: str, command: str, status: int, *, has_login: bool) -> LoginRefused:
    if has_login:
        found = LoginRefused(
            f"the node at {address} refuses our login ({status} for {command})",
            "correct IPFS_ACCELERATE_NODE_AUTH, or the name and password in IPFS_ACCELERATE_NODE; "
            "in Kubo's API.Authorizations the login's AllowedPaths must have /api/v0",
        )
    else:
        found = LoginRefused(
            f"the node at {address} wants a login ({status} for {command}; Kubo's API.Authorizations)",
            "set IPFS_ACCELERATE_NODE_AUTH to bearer:TOKEN or basic:NAME:PASSWORD",
        )
    _leave_alone(address, timeouts.OPEN_DOWN, found)
    return found


def _leave_alone(address: str, seconds: float, error: SourceError) -> None:
    session.part(NodeBreaker).open(address, seconds, (str(error), error.hint))
