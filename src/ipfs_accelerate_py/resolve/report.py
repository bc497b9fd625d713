"""When nobody could say what a name means: who was asked, and what each said."""

from __future__ import annotations

from collections.abc import Mapping

from ..config.forms import without_secrets
from ..errors import Unresolved


def name_authorities(error: Unresolved, repo_id: str, revision: str, hub: str, said: Mapping[str, str]) -> Unresolved:
    """The same error, in the words of every authority that was asked. `said`: by the others beside the Hub."""
    others = [f"{who}: {words}" for who, words in said.items()] or ["no publisher was asked: none is named"]
    address, words = without_secrets(hub), str(error)
    text = "; ".join([words if address in words else f"{words} ({address})", *others])
    found = Unresolved(f"nobody could say what {repo_id}@{revision} is: {text}")
    vars(found).update(vars(error))
    found.__cause__ = error
    return found
