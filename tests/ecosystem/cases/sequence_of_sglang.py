"""SGLang's calls for weights: `download_weights_from_hf`, `_find_local_hf_snapshot_dir_unlocked` and
`download_safetensors_index_file_from_hf` in python/sglang/srt/model_loader/weight_utils.py, `find_local_repo_dir` in
python/sglang/srt/utils/common.py, which goes through the folders of the Hugging Face cache by itself.
"""

import fnmatch
import json
from pathlib import Path

import huggingface_hub.constants
from huggingface_hub import HfFileSystem, hf_hub_download, snapshot_download
from transformers import AutoConfig

from tests.support.model import tiny_model

from .sequence_of_vllm import INDEX, DisabledTqdm


def make(root):
    tiny_model(root, "tiny/sharded", "sharded")


def load(repo_id="tiny/sharded"):
    config = AutoConfig.from_pretrained(repo_id)
    folder = folder_in_cache(repo_id)
    if folder is None or not complete(folder):
        patterns = ["*.safetensors", "*.bin"]
        rows = HfFileSystem().ls(repo_id, detail=False, revision=None)
        patterns = next(([pattern] for pattern in patterns if fnmatch.filter(rows, pattern)), patterns)
        options = {"cache_dir": None, "revision": None, "local_files_only": huggingface_hub.constants.HF_HUB_OFFLINE}
        folder = Path(
            snapshot_download(
                repo_id, allow_patterns=patterns, ignore_patterns=None, tqdm_class=DisabledTqdm, **options
            )
        )
        hf_hub_download(repo_id=repo_id, filename=INDEX, **options)
        # what a second worker of the same server finds
        assert folder_in_cache(repo_id) is not None and complete(folder_in_cache(repo_id))
    return config.to_dict(), {path.name: path for path in sorted(folder.glob("*.safetensors"))}


def folder_in_cache(repo_id):
    repo = Path(huggingface_hub.constants.HF_HUB_CACHE) / f"models--{repo_id.replace('/', '--')}"
    ref = repo / "refs" / "main"
    folder = repo / "snapshots" / ref.read_text().strip() if ref.is_file() else None
    return folder if folder is not None and folder.is_dir() else None


def complete(folder):
    index = folder / INDEX
    if not index.exists() or not list(folder.glob("*.safetensors")):
        return False
    return all((folder / name).exists() for name in json.loads(index.read_text())["weight_map"].values())
