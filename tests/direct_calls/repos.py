"""The Hub that the calls meet: a model of two commits with branch, tag and pull request, a dataset, a space."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from tests.support.local_hub import LocalHub

FILES = {
    "config.json": b'{"model_type": "bert", "architectures": ["BertModel"]}\n',
    "README.md": b"---\nlicense: mit\n---\n# Model\n",
    ".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n",
    "model.safetensors": random.Random(0).randbytes(50_000),
    "sub/a.json": b"{}\n",
    "sub/deep/inner.txt": b"inner\n",
    "ünï code.txt": "ünï\n".encode(),
    "empty.txt": b"",
}


def make_hub() -> tuple[LocalHub, dict[str, str]]:
    """A Hub that is not started yet, and the names of its commits."""
    hub = LocalHub(tokens={"hf_alice": "alice"})
    with tempfile.TemporaryDirectory() as folder:

        def add(repo_id: str, files: dict[str, bytes], kind: str = "models", **options: object) -> None:
            place = Path(tempfile.mkdtemp(dir=folder))
            for name, content in files.items():
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            hub.add(repo_id, str(place), kind, **options)

        add("acme/model", {**FILES, "config.json": b'{"model_type": "bert"}\n', "gone.txt": b"gone\n"})
        model = hub.repos["models", "acme/model"]
        old = model.refs["main"]
        add("acme/model", FILES)
        commit = model.refs["main"]
        model.tags["v1"] = old
        model.refs |= {"dev": old, "refs/pr/1": old}
        add("acme/rows", {"data/train.csv": b"a,b\n1,2\n", "README.md": b"# Rows\n"}, "datasets")
        add("acme/app", {"app.py": b"print()\n", "README.md": b"---\nsdk: gradio\n---\n"}, "spaces")
        add("acme/secret", {"config.json": b"{}"}, meta={"private": True, "allow": ["alice"]})
        add("acme/gated", {"config.json": b"{}"}, meta={"gated": "auto"})
        add("acme/empty", {})
        add("acme/old", {"config.json": b'{"renamed": true}'})
        hub.rename("acme/old", "acme/new")
    # lines 1.x of the client take a server of the same name for the Hub, whatever its port
    hub.cdn_url = hub.cdn_url.replace("127.0.0.1", "localhost")
    return hub, {"COMMIT": commit, "OLD": old, "SHORT": commit[:7]}
