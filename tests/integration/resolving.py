"""What the tests of the resolver share: the repos of a Hub, and what can be seen of them there."""

import json

from tests.support.in_process import write_repo

REPO = "acme/model"
FILES = {"config.json": b'{"a": 1}', "sub/vocab.txt": b"a b c\n", "model.safetensors": bytes(range(256)) * 40}
INFO = "GET /api/models/"
OTHER = "0123456789abcdef0123456789abcdef01234567"


def write_acme(root):
    """Lays acme/model, which is public, acme/private and acme/gated, which alice may read, into a Hub's root folder."""
    write_repo(root, REPO, FILES)
    for name, meta in (
        ("private", {"private": True, "allow": ["alice"]}),
        ("gated", {"gated": "manual", "allow": ["alice"]}),
    ):
        write_repo(root, f"acme/{name}", {**FILES, "hub.json": json.dumps(meta).encode()})


def commit_of(hub, repo_id=REPO):
    return hub.repos["models", repo_id].refs["main"]


def asked(hub):
    """The requests about models; huggingface_hub has some of its own besides."""
    return [row for row in hub.log if "/api/agent-harnesses" not in row["path"]]


def new_commit(hub, root, content):
    (root / REPO / "config.json").write_bytes(content)
    hub.scan()
    return commit_of(hub)
