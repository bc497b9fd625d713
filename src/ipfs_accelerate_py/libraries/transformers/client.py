"""transformers 5's shared client of the Hub: what the tree of a commit can answer is answered from it."""

from __future__ import annotations

from typing import Any

from ...patching.proxies import ClientProxy, Wrapper
from ...session import session
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


class SharedApi:
    """transformers shares one HfApi, so we share one proxy of it."""

    proxy: HubApi | None = None


def hf_api(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `transformers.utils.hub.hf_api`."""
    shared = session.part(SharedApi)
    api = wrapped(*args, **kwargs)
    if shared.proxy is None or shared.proxy.__wrapped__ is not api:
        shared.proxy = HubApi(api)
    return shared.proxy
