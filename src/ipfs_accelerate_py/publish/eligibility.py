"""What may leave this machine: only repos that an anonymous request to the Hub has proven public and ungated.

And of its own accord only those of the kinds that the settings name.
"""

from __future__ import annotations

from ..config.settings import Settings
from ..errors import Unresolved
from ..hub.client import ask_commit
from ..repo import Repo
from ..store.store import Store
from ..store.visibility import known_access, remember_access

_STANDS = 30 * 24 * 3600.0  # seconds that the Hub's last word counts for members of the fleet, while it gives none
_ANEW = 12 * 3600.0  # seconds after which it is asked again


def is_wanted(settings: Settings, repo_id: str) -> bool:
    """Return whether a repo of this kind is published without anybody asking for it by name."""
    return settings.publish != "off" and Repo.parse(repo_id).kind in settings.publish_kinds


def prove_public(store: Store, repo_id: str, timeout: float) -> bool | None:
    """Ask the Hub anonymously, now. True: public and ungated; False: not; None: the Hub could not say."""
    try:
        _, public = ask_commit(repo_id, None, False, timeout)
    except Unresolved as error:
        if not error.answered:
            return None
        public = False
    remember_access(store, repo_id, public)
    return public


def may_be_given(store: Store, settings: Settings, repo_id: str) -> bool:
    """Return whether members of the fleet may have files of a repo: the Hub has last shown it to everybody."""
    return settings.publish != "off" and known_access(store, repo_id, _STANDS) is True


def prove_again(store: Store, settings: Settings, repo_id: str, timeout: float) -> bool:
    """Ask the Hub anew about a repo that members are given, where its word is old; return whether it was asked."""
    if not may_be_given(store, settings, repo_id) or known_access(store, repo_id, _ANEW):
        return False
    prove_public(store, repo_id, timeout)
    return True
