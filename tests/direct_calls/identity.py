"""What the public names look like: signatures, documentation, pickles, where they are found."""

from __future__ import annotations

from .call import Call
from .filesystem import filesystem_calls  # noqa: F401
from .words import METHODS

FUNCTIONS = ("hf_hub_download", "snapshot_download", "try_to_load_from_cache", "get_cached_repo_tree", "hf_hub_url")
FILESYSTEM = ("ls", "info", "open", "_open", "get_file", "exists", "glob", "find")


def identity_calls() -> list[Call]:
    names = [f"hh.{name}" for name in (*FUNCTIONS, *METHODS)]
    names += [f"hh.HfApi.{name}" for name in (*METHODS, "hf_hub_download", "snapshot_download", "create_commit")]
    names += [f"api.{name}" for name in METHODS] + [f"hh.HfFileSystem.{name}" for name in FILESYSTEM]
    names += ["hh.HfApi", "hh.HfFileSystem", "hh.file_download.hf_hub_download", "hh.hf_api.model_info"]
    made = [f"identity(lambda: {name})" for name in names]
    made += [
        "hh.hf_hub_download is hh.file_download.hf_hub_download",
        "hh.hf_hub_download is hh.hf_hub_download",
        "hh.snapshot_download is hh._snapshot_download.snapshot_download",
        "hh.model_info == hh.hf_api.model_info",
        "hh.model_info.__self__ is hh.hf_api.api",
        "hh.HfApi.model_info is hh.hf_api.HfApi.model_info",
        "sorted(vars(hh.HfApi))",
        "sorted(vars(hh.HfFileSystem))",
        "sorted(name for name in vars(hh.file_download) if not name.startswith('__'))",
        "sorted(name for name in vars(hh.hf_api) if not name.startswith('__'))",
        "sorted(name for name in vars(hh) if not name.startswith('__'))",
        "dir(hh)",
        "[base.__name__ for base in type('Own', (hh.HfApi,), {}).__mro__]",
        "type('Own', (hh.HfApi,), {'model_info': lambda *_, **__: 'own'})().model_info('acme/model')",
        "mocked('huggingface_hub.hf_hub_download')",
        "mocked('huggingface_hub.file_download.hf_hub_download')",
        "mocked('huggingface_hub.HfApi.model_info')",
    ]
    return [Call(each, "cold") for each in made]
