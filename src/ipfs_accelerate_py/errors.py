"""What can go wrong, as exceptions; `hint` carries the next step for the user."""

from __future__ import annotations


class IPFSAccelerateError(Exception):
    """Base of our errors. `hint`: what to do next, in one sentence, or None."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class SettingsError(IPFSAccelerateError, ValueError):
    """A setting has a value that cannot be used."""


class UnsafeName(IPFSAccelerateError, ValueError):
    """A repo id, revision or file name that must not become a path."""


class StoreError(IPFSAccelerateError, OSError):
    """The store's folder cannot be read or written."""


class SourceError(IPFSAccelerateError):
    """A source cannot supply what was asked; the next source is asked."""


class SourceDown(SourceError):
    """A source does not answer at all; its circuit breaker opens for a while."""


class Unresolved(IPFSAccelerateError):
    """No authority knows which commit a revision is.

    `answered`: the Hub itself refused (unknown, closed). `about_revision`: it knows the repo, and not that revision.
    `waited`: the seconds that the Hub was waited for, where it sent no answer. `unreachable`: the client's text for a
    Hub that cannot be reached or is down. `status`: of the HTTP answer, if there was one.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, answered: bool = False, about_revision: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.answered, self.about_revision = answered, about_revision
        self.waited = 0.0
        self.unreachable: str | None = None
        self.status: int | None = None


class Unavailable(IPFSAccelerateError):
    """No source has the bytes at the moment.

    `hub_error`: what the Hub's client raised after all its retries. `no_hub`: what answers there is no Hub.
    """

    def __init__(
        self, message: str, hint: str | None = None, hub_error: Exception | None = None, no_hub: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.hub_error, self.no_hub = hub_error, no_hub


class VerificationError(IPFSAccelerateError, OSError):
    """Bytes were offered, and none had the right hash: nothing may be loaded.

    An OSError, since transformers hands that kind through to the user unchanged.
    """


class LockFileError(VerificationError):
    """The lock file cannot be used: nothing is loaded, since going on without it would be unsafe."""


class PublishRefused(IPFSAccelerateError):
    """This repo may not leave this machine, or there is no node to publish with."""


class FleetError(IPFSAccelerateError):
    """Something about the fleet cannot be done: no fleet here, an invitation that cannot be read, no agent."""
