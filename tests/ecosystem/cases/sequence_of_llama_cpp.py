"""llama-cpp-python's calls: `Llama.from_pretrained` in llama_cpp/llama.py. The file is a blob that begins as GGUF."""

import fnmatch
import random
from pathlib import Path, PurePosixPath


def make(root):
    folder = root / "tiny" / "gguf"
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(("tiny.Q4_K_M.gguf", "tiny.Q8_0.gguf")):
        (folder / name).write_bytes(b"GGUF\x03\0\0\0" + random.Random(number).randbytes(200_000))
    (folder / "README.md").write_text("# GGUF\n")


def load(repo_id="tiny/gguf", filename="*Q4_K_M.gguf"):
    from huggingface_hub import HfFileSystem, hf_hub_download
    from huggingface_hub.utils import validate_repo_id

    validate_repo_id(repo_id)
    rows = HfFileSystem().ls(repo_id, recursive=True)
    names = [str(PurePosixPath(row["name"]).relative_to(repo_id)) for row in rows]
    (found,) = fnmatch.filter(names, filename)
    place = {"filename": PurePosixPath(found).name, "subfolder": str(PurePosixPath(found).parent)}
    options = {"local_dir": None, "local_dir_use_symlinks": "auto", "cache_dir": None}
    hf_hub_download(repo_id=repo_id, **place, **options)
    return Path(hf_hub_download(repo_id=repo_id, **place, **options, local_files_only=True))
