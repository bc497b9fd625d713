"""What huggingface_hub's own client is asked: its settings, and the commit of a name with its listing."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Iterator
from typing import Any

from ..config.forms import without_secrets
from ..errors import Unresolved
from ..repo import Repo
from ..store.layout import is_commit
from ..store.tree import Tree, tree_from_hub
from .listing import ask_info
from .unwell import is_down, status_of

LARGE = 1000  # files of a listing above which it is worth a request of its own to ask for the commit alone
_AT_LEAST = 1.0  # seconds for one more question to a Hub that has just been waited for
CLOSED = "check the name; for a private or gated repo log in with 'hf auth login', or set HF_TOKEN"
_OFFLINE = "unset HF_HUB_OFFLINE, which says that the Hub is not to be asked"
_UNWELL = "try again later, or name another authority in IPFS_ACCELERATE_PUBLISHERS"


def _constants() -> Any:
    """The client's settings; an import statement takes five times as long, and each call of a library needs them."""
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is None:
        from huggingface_hub import constants
    return constants


def endpoint() -> str:
    """The Hub that huggingface_hub asks."""
    return str(_constants().ENDPOINT)


def cache_folder() -> str:
    """Where plain huggingface_hub keeps what is loaded without a `cache_dir`."""
    return str(_constants().HF_HUB_CACHE)


def is_offline() -> bool:
    """Return whether the user has told huggingface_hub to stay off the network."""
    return bool(_constants().HF_HUB_OFFLINE)


def has_token(token: str | bool | None) -> bool:
    """Return whether a request with this `token=` would name the user."""
    if token is False:
        return False
    if isinstance(token, str):
        return True
    from huggingface_hub import constants, get_token

    return not (token is None and constants.HF_HUB_DISABLE_IMPLICIT_TOKEN) and get_token() is not None


def asks_files_by_branch() -> bool:
    """Return whether plain loads of this client's line ask for each file by the branch, whatever the API says."""
    return _is_of_line_0()


def logs_downloads() -> bool:
    """Return whether this client's line tells its log of each file that it downloads."""
    return _is_of_line_0()


def makes_folders_on_the_way() -> bool:
    """Return whether `snapshot_download` of this client's line makes what a `local_dir` such as `a/../b` passes."""
    return _is_of_line_0()


def _is_of_line_0() -> bool:
    import huggingface_hub

    return huggingface_hub.__version__.startswith("0.")


def etag_timeout() -> float:
    """The seconds that plain huggingface_hub gives the Hub for one answer (`HF_HUB_ETAG_TIMEOUT`)."""
    from huggingface_hub import constants

    return float(constants.HF_HUB_ETAG_TIMEOUT)


def etag_timeout_after(waited: float, asked: float | None = None) -> float:
    """What is left of that time, or of `asked`, for a Hub that was waited for just now; it may be well by now."""
    whole = etag_timeout() if asked is None else asked
    return min(whole, max(whole - waited, _AT_LEAST))


@functools.cache
def takes_bars() -> bool:
    """Return whether `hf_hub_download` of this client's line can be told what kind of bar to draw (by 1.5)."""
    from huggingface_hub import hf_hub_download

    return "tqdm_class" in inspect.signature(hf_hub_download).parameters


def prepare() -> None:
    """Import and open what a request needs: seconds on a cold disk, which are not the Hub's silence."""
    from huggingface_hub import HfApi, get_session

    HfApi()
    get_session()


def ask_commit(repo_id: str, revision: str | None, token: str | bool | None, timeout: float) -> tuple[Tree, bool]:
    """One request: the commit of a revision with its whole listing, and whether the repo is public and ungated.

    Raises Unresolved: `answered` if the Hub said no (unknown or closed repo, unknown revision), else it failed.
    """
    repo = Repo.parse(repo_id)
    with _errors_as_unresolved(repo_id, revision):
        return read_listing(repo, ask_info(repo, revision, token, timeout))


def read_listing(repo: Repo, answer: Any) -> tuple[Tree, bool]:
    """The listing in a `ModelInfo` or its like, and whether the repo is public and ungated. ValueError."""
    return tree_from_hub(answer.sha, answer.siblings or (), vars(answer)), _is_public(repo, answer)


def ask_commit_id(repo_id: str, revision: str | None, token: str | bool | None, timeout: float) -> tuple[str, bool]:
    """The same without the listing: one small answer, however many files there are."""
    repo = Repo.parse(repo_id)
    with _errors_as_unresolved(repo_id, revision):
        only = (
            ("sha", "private") if repo.kind == "space" else ("sha", "private", "gated")
        )  # what is no word of a kind is refused
        answer = ask_info(repo, revision, token, timeout, only)
        if not is_commit(answer.sha):
            raise ValueError(f"the Hub named {answer.sha!r} as a commit")
        return answer.sha, _is_public(repo, answer)


def _is_public(repo: Repo, answer: Any) -> bool:
    """Return whether anybody may read the repo; that a space is not gated need not be said, for none can be."""
    gated = False if repo.kind == "space" and answer.gated is None else answer.gated
    return answer.private is False and gated is False


@contextlib.contextmanager
def _errors_as_unresolved(repo_id: str, revision: str | None) -> Iterator[None]:
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except RevisionNotFoundError as error:
        hint = "give a branch, a tag or a commit that the repo has"
        text = f"{repo_id} has no revision {revision!r}"
        raise Unresolved(text, hint, answered=True, about_revision=True) from error
    except (RepositoryNotFoundError, GatedRepoError) as error:
        raise Unresolved(f"the Hub does not show {repo_id} to us", CLOSED, answered=True) from error
    except HfHubHTTPError as error:
        status = status_of(error)
        hint = CLOSED if status in (401, 403) else _UNWELL
        unresolved = Unresolved(f"the Hub answered {status}", hint, answered=status in (401, 403))
        unresolved.status = status
        unresolved.unreachable = str(error) if is_down(error) else None
        raise unresolved from error
    except Exception as error:  # the client's transport errors differ between its lines: requests, httpx
        hint = _OFFLINE if is_offline() else _UNWELL
        text = f"the Hub could not be asked at {endpoint()}: {type(error).__name__}: {error}"
        unresolved = Unresolved(without_secrets(text), hint)
        unresolved.unreachable = None if isinstance(error, ValueError) else str(error)
        raise unresolved from error
