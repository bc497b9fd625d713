"""transformers 5's shared client of the Hub: what the tree of a commit can answer is answered from it."""

from __future__ import annotations

from typing import Any

from ...patching.proxies import ClientProxy, Wrapper
from . import name_doors

_DOORS = {
    "list_repo_files": name_doors.list_repo_files,
    "list_repo_tree": name_doors.list_repo_tree,
    "model_info": name_doors.model_info,
}


class HubApi(ClientProxy):
    """Stands for the shared HfApi."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__wrapped__, name)
        return Wrapper(value, _DOORS[name]) if name in _DOORS else value


_hub_api: HubApi | None = None  # transformers shares one HfApi, so we share one proxy of it


def hf_api(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `transformers.utils.hub.hf_api`."""
    global _hub_api
    api = wrapped(*args, **kwargs)
    if _hub_api is None or _hub_api.__wrapped__ is not api:
        _hub_api = HubApi(api)
    return _hub_api
