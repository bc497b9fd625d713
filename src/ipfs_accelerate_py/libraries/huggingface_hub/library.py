"""huggingface_hub, as the hook knows it: each door with what serves it. At its public names only, which have not moved.

What is not here comes through a door that is: `HfApi.hf_hub_download` calls the function, `repo_info`, `repo_exists`,
`revision_exists` and `resolve_revision` call `model_info` and its like, and `list_repo_files` of a branch calls
`list_repo_tree`.
"""

from __future__ import annotations

from ...patching.library import Door, Library

_FILES = "huggingface_hub.file_download"
_SNAPSHOTS = "huggingface_hub._snapshot_download"
_FILE_SYSTEM = "huggingface_hub.hf_file_system"
_API = "huggingface_hub.hf_api"
_INFO = ("model_info", "dataset_info", "space_info")
_LISTINGS = ("list_repo_tree", "list_repo_files", "_iter_repo_tree_pages", "get_paths_info", "file_exists")
# What HfApi sends its requests by, commits from the second module. A program that writes to the Hub loads its own new
# words next. The same functions in other modules only read.
_SENDERS = {_API: ("get_session",), "huggingface_hub._commit_api": ("get_session", "http_backoff")}


def _serves(module: str, owners: tuple[str, ...], name: str, room: str, *, handed_on: bool = True) -> Door:
    return Door(module, owners, name, f"{__package__}.{room}:{name.lstrip('_')}", handed_on=handed_on)


LIBRARY = Library(
    "huggingface_hub",
    (
        _serves(_FILES, (), "hf_hub_download", "files"),
        _serves(_SNAPSHOTS, (), "snapshot_download", "snapshots"),
        # It downloads in threads, which do not know the call that they work for.
        Door(_SNAPSHOTS, (), "hf_hub_download", None),
        _serves(_FILES, (), "try_to_load_from_cache", "cached"),
        _serves(_SNAPSHOTS, (), "get_cached_repo_tree", "cached"),
        *(_serves(_API, ("HfApi",), name, "info") for name in _INFO),
        *(_serves(_API, ("HfApi",), name, "listings") for name in _LISTINGS),
        *(_serves(_FILE_SYSTEM, ("HfFileSystem",), name, "file_system") for name in ("_open", "get_file")),
        *(
            _serves(module, (), function, "writes", handed_on=False)
            for module, functions in _SENDERS.items()
            for function in functions
        ),
    ),
    tested=((0, 34), (3, 0)),
    everywhere=True,
)
