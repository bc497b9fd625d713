"""The error where no authority knows a name: the authorities that were asked, and their answers."""

from __future__ import annotations

from collections.abc import Mapping

from ..config.forms import without_secrets
from ..errors import Unresolved


def name_authorities(
    error: Unresolved, repo_id: str, revision: str, hub: str, failures: Mapping[str, str]
) -> Unresolved:
    """The same error, with the answers of all authorities. `failures`: publisher -> why it gave no answer."""
    others = [f"{name}: {why}" for name, why in failures.items()] or ["no publisher was asked: none is named"]
    address, why = without_secrets(hub), str(error)
    text = "; ".join([why if address in why else f"{why} ({address})", *others])
    found = Unresolved(f"no authority knows {repo_id}@{revision}: {text}")
    vars(found).update(vars(error))
    found.__cause__ = error
    return found
