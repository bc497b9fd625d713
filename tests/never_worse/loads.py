"""What is loaded: one expression of a user's program each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock, create_autospec

LOADS = {
    "config": "AutoConfig.from_pretrained('acme/bert')",
    "tokenizer": "AutoTokenizer.from_pretrained('acme/bert')",
    "model": "AutoModel.from_pretrained('acme/bert')",
    "processor": "AutoProcessor.from_pretrained('acme/bert')",
    "image-processor": "AutoImageProcessor.from_pretrained('acme/bert')",
    "pipeline": "pipeline('feature-extraction', 'acme/bert')",
    "remote-code": "AutoModel.from_pretrained('acme/own', trust_remote_code=True)",
    "templates": "sorted(list_repo_templates('acme/bert', local_files_only=False))",
    "has-file": "[has_file('acme/bert', 'config.json'), has_file('acme/bert', 'nothing.txt')]",
    "config-local-only": "AutoConfig.from_pretrained('acme/bert', local_files_only=True)",
    "tokenizer-local-only": "AutoTokenizer.from_pretrained('acme/bert', local_files_only=True)",
    "model-local-only": "AutoModel.from_pretrained('acme/bert', local_files_only=True)",
    "left-for-others": "[AutoModel.from_pretrained('acme/bert').dtype, left_in_cache()]",
    "after-a-push": "[AutoConfig.from_pretrained('acme/bert'), push(), AutoConfig.from_pretrained('acme/bert')][-1]",
    "mock": "mocks_of(AutoModel)",
}
BEFORE = """
from transformers.utils.hub import has_file, list_repo_templates
from tests.never_worse.loads import left_in_cache, mocks_of, push
"""


def left_in_cache() -> Any:
    """What other tools find in the Hugging Face cache."""
    from huggingface_hub import scan_cache_dir, try_to_load_from_cache

    repos = scan_cache_dir().repos
    files = [file.file_name for repo in repos for revision in repo.revisions for file in revision.files]
    found = [try_to_load_from_cache("acme/bert", name) for name in ("config.json", "adapter_config.json")]
    return {"files": sorted(files), "found": [type(each).__name__ for each in found]}


def mocks_of(cls: type) -> list[bool]:
    """Whether mocks of a class pass for its instances."""
    return [isinstance(mock, cls) for mock in (Mock(spec=cls), create_autospec(cls, instance=True))]


def push() -> None:
    """A new config for acme/bert."""
    from huggingface_hub import HfApi, hf_hub_download

    config = json.loads(Path(hf_hub_download("acme/bert", "config.json")).read_text())
    content = json.dumps({**config, "layer_norm_eps": 0.25}).encode()
    HfApi(token="hf_test").upload_file(path_or_fileobj=content, path_in_repo="config.json", repo_id="acme/bert")
