"""TGI's calls: `weight_hub_files`, `download_weights`, `weight_files` and `try_to_load_from_cache` (its own, over the
folders of the Hugging Face cache) in server/text_generation_server/utils/hub.py.
"""

from pathlib import Path

from huggingface_hub import HfApi, file_download, hf_hub_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.utils import LocalEntryNotFoundError

from tests.support.model import tiny_model


def make(root):
    tiny_model(root, "tiny/sharded", "sharded")


def load(repo_id="tiny/sharded"):
    for name in names_of_weights(repo_id):  # `text-generation-server download-weights`
        if cached(repo_id, name) is None:
            hf_hub_download(filename=name, repo_id=repo_id, revision=None, local_files_only=False)
    found = {name: cached(repo_id, name) for name in names_of_weights(repo_id)}  # the server's start
    if missing := [name for name, path in found.items() if path is None]:
        raise LocalEntryNotFoundError(f"File {missing[0]} of model {repo_id} not found in the local cache")
    return found


def names_of_weights(repo_id):
    info = HfApi().model_info(repo_id, revision=None)
    return [file.rfilename for file in info.siblings if file.rfilename.endswith(".safetensors")]


def cached(repo_id, name):
    repo = Path(HF_HUB_CACHE) / file_download.repo_folder_name(repo_id=repo_id, repo_type="model")
    ref = repo / "refs" / "main"
    if not ref.exists() or not (repo / "snapshots" / ref.read_text()).exists():
        return None
    path = repo / "snapshots" / ref.read_text() / name
    return path if path.is_file() else None
