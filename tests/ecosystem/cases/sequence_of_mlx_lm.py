"""MLX-LM's calls: `_download` and `hf_repo_to_path` in mlx_lm/utils.py."""

from pathlib import Path

from huggingface_hub import snapshot_download

from tests.support.model import tiny_model

PATTERNS = [
    *("*.json", "model*.safetensors", "*.py", "tokenizer.model", "*.tiktoken", "tiktoken.model", "*.txt", "*.jsonl"),
    "*.jinja",
]


def make(root):
    tiny_model(root, "tiny/sharded", "sharded")


def load(repo_id="tiny/sharded"):
    first = Path(snapshot_download(repo_id, revision=None, allow_patterns=PATTERNS))
    again = Path(snapshot_download(repo_id, local_files_only=True))
    assert first.samefile(again)
    return {path.name: path for path in sorted(again.iterdir())}
