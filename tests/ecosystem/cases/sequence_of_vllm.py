"""vLLM's calls for a model in pieces.

`resolve_revision`, `file_or_path_exists`, `get_hf_file_to_dict`, `list_filtered_repo_files` (with `with_retry`) in
vllm/transformers_utils/repo_utils.py; then `DefaultModelLoader._prepare_weights` in
vllm/model_executor/model_loader/default_loader.py with `download_weights_from_hf` and
`download_safetensors_index_file_from_hf` of weight_utils.py beside it.
"""

import fnmatch
import functools
import json
import time
from pathlib import Path

import huggingface_hub
from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.utils import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from tqdm.auto import tqdm
from transformers import AutoConfig, AutoTokenizer

from tests.support.model import tiny_model

INDEX = "model.safetensors.index.json"


class DisabledTqdm(tqdm):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **{**options, "disable": True})


def make(root):
    tiny_model(root, "tiny/sharded", "sharded")


def load(repo_id="tiny/sharded"):
    api = HfApi(library_name="vllm", library_version="0.20.0")
    revision = resolve(api, repo_id)
    # which kind of configuration it is, then the configuration and the tokenizer by transformers
    kinds = [exists(api, repo_id, name, revision) for name in ("config.json", "params.json")]
    config = AutoConfig.from_pretrained(repo_id, revision=revision)
    tokenizer = AutoTokenizer.from_pretrained(repo_id, revision=revision)
    optional = [read(api, repo_id, name, revision) for name in ("modules.json", "hf_quant_config.json")]
    folder = weights(api, repo_id, revision)
    return kinds, config.to_dict(), tokenizer("the quick dog")["input_ids"], optional, folder


def resolve(api, repo_id):
    try:
        return api.resolve_revision(repo_id, revision=None, local_files_only=False, token=None)
    except Exception:
        return None


@functools.cache
def listing(api, repo_id, revision):
    """Two attempts, 2 s between them, as `with_retry`; an answer is kept, as there."""
    try:
        return api.list_repo_files(repo_id, revision=revision, repo_type=None, token=None)
    except Exception:
        time.sleep(2)
        return api.list_repo_files(repo_id, revision=revision, repo_type=None, token=None)


def exists(api, repo_id, name, revision):
    found = try_to_load_from_cache(repo_id=repo_id, filename=name, revision=revision)
    if isinstance(found, str):
        return True
    return found is None and name in listing(api, repo_id, revision)


def read(api, repo_id, name, revision):
    """A file that may not be there, as a dict."""
    found = try_to_load_from_cache(repo_id=repo_id, filename=name, revision=revision)
    if found is None:
        try:
            found = api.hf_hub_download(repo_id, name, revision=revision)
        except (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError, HfHubHTTPError):
            return None
    return json.loads(Path(found).read_text()) if isinstance(found, str) else None


def weights(api, repo_id, revision):
    try:
        names = listing(api, repo_id, revision)
    except Exception:
        names = []
    assert not fnmatch.filter(names, "consolidated*.safetensors")
    patterns = ["*.safetensors", "*.bin", "*.pt"]
    rows = huggingface_hub.HfFileSystem(library_name="vllm", library_version="0.20.0").ls(
        repo_id, detail=False, revision=revision
    )
    if f"{repo_id}/{INDEX}" in rows:
        index = api.hf_hub_download(repo_id=repo_id, filename=INDEX, cache_dir=None, revision=revision)
        patterns = sorted(set(json.loads(Path(index).read_text())["weight_map"].values()))
    else:
        patterns = next(([pattern] for pattern in patterns if fnmatch.filter(rows, pattern)), patterns)
    folder = Path(
        api.snapshot_download(
            repo_id,
            allow_patterns=patterns,
            ignore_patterns=None,
            cache_dir=None,
            tqdm_class=DisabledTqdm,
            revision=revision,
            local_files_only=False,
        )
    )
    api.hf_hub_download(
        repo_id=repo_id, filename=INDEX, cache_dir=None, subfolder=None, revision=revision, local_files_only=False
    )
    return {path.name: path for path in sorted(folder.glob("*.safetensors"))}
