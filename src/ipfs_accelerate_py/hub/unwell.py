"""Which errors of the client say that the Hub is unwell, and not that it has refused, or was not asked at all."""

from __future__ import annotations

_TRANSPORTS = ("httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3")
_CALLERS_OWN = ("LocalProtocolError", "UnsupportedProtocol")  # of them those that no request has led to
TOO_MANY = 429


def status_of(error: BaseException) -> int | None:
    """The status of the answer that an error tells of; None if there was no answer."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def is_down(error: BaseException) -> bool:
    """Return whether an error for a request's answer says that the Hub gave none, or that it is ill."""
    status = status_of(error)
    return status is None or status >= 500


def is_unwell(error: BaseException) -> bool:
    """Return whether any error says so, or that the Hub is asked too much: what is kept may answer in its place."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return is_down(error) or status_of(error) == TOO_MANY
    if type(error).__name__ in _CALLERS_OWN:
        return False
    return type(error).__module__.partition(".")[0] in _TRANSPORTS or isinstance(error, ConnectionError | TimeoutError)


def is_not_cached(error: BaseException) -> bool:
    """Return whether the client has found no file in its cache, since the Hub said nothing of it: why is its cause."""
    return type(error).__name__ == "LocalEntryNotFoundError"


def is_cut_off(error: BaseException) -> bool:
    """Return whether an error says that a connection was made, and closed without an answer."""
    names = {type(each).__name__ for each in (error, error.__cause__, error.__context__, *error.args) if each}
    return bool(names & {"RemoteProtocolError", "ReadError", "ProtocolError"})
