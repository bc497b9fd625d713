"""How the files beside this one were made, by version 0.1.0: `python make.py FOLDER` in its source tree, with Kubo.

`FOLDER/a` and `FOLDER/b` are two machines; README.md says what of theirs was kept.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.support import model
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.node import KuboNode

LOAD = """
from transformers import AutoModel, AutoTokenizer
AutoTokenizer.from_pretrained("acme/tiny")
AutoModel.from_pretrained("acme/tiny")
"""
SETTINGS = {
    "timeout": "2.5",
    "lower": "/srv/models:/mnt/cache",
    "publishers": "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8",
    "publish": "off",
    "gateways": "http://10.0.0.1:8080",
    "mirrors": "file:///mnt/models,s3://bucket/models",
    "log": "INFO",
    "home": "/srv/store",
    "lock": "/srv/models.lock",
    "node": "/ip4/10.0.0.1/tcp/5001",
}


def run(machine: Machine, *words: str, tries: int = 1) -> str:
    """One of our commands; its output."""
    for _ in range(tries):
        done = machine.hook(*words)
        if done.returncode == 0:
            return done.stdout
        time.sleep(2)  # until the two nodes have met
    raise SystemExit(done.stderr)


def main(folder: Path) -> None:
    models = folder / "hub"
    sizes = {"hidden_size": 4, "num_hidden_layers": 1, "intermediate_size": 4, "max_position_embeddings": 8}
    config = model.tiny_model(models, "acme/tiny", "bert", **sizes) / "config.json"
    for repo_id in ("acme/closed", "acme/heard"):
        (models / repo_id).mkdir(parents=True)
        (models / repo_id / "config.json").write_text(json.dumps({"model_type": "bert", "name": repo_id}))
    with LocalHub(models) as hub:
        off = {"IPFS_ACCELERATE_PUBLISH": "off"}  # nothing in the background
        a = Machine(folder / "a", hub=hub, node=KuboNode, **off)
        a.run(LOAD)
        config.write_text(
            json.dumps({**json.loads(config.read_text()), "note": "second"}, indent=2, sort_keys=True) + "\n"
        )
        hub.scan()
        a.run(LOAD)
        run(a, "fetch", "acme/tiny", "acme/closed", "acme/heard")
        hub.repos["models", "acme/closed"].meta["gated"] = "manual"
        a.hook("publish", "acme/closed")  # refused, and remembered as closed
        name = json.loads(run(a, "publish", "acme/tiny", "acme/heard", "--json"))[0]["publisher"]
        run(a, "lock", "acme/tiny", "--output", "models.lock")
        # without a Hub
        b = Machine(folder / "b", node=KuboNode, bootstrap=[a.node], IPFS_ACCELERATE_PUBLISHERS=name, **off)
        run(b, "fetch", "acme/heard", tries=10)
        for key, value in SETTINGS.items():
            run(b, "config", "set", key, value)
        b.stop()
        a.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
