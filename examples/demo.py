"""Two machines, one Hub that goes away, the same embedding: `make demo`.

Machine A loads a model from a loopback Hub and publishes it. The Hub is stopped. Machine B, with empty caches and a
node of its own, loads it from A; then both nodes are stopped and B loads it once more. Exits 1 if anything differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.model import MINILM, add_minilm
from tests.support.node import KuboNode

WORKER = Path(__file__).with_name("worker.py")
SHOW_LOG = {"IPFS_ACCELERATE_LOG": "INFO"}


class Difference(Exception):
    """Something is not as it must be."""


def say(text: str) -> None:
    print(text, flush=True)


def expect(holds: bool, text: str) -> None:
    say(f"   {text}: {'yes' if holds else 'NO'}")
    if not holds:
        raise Difference(text)


def work(machine: Machine, hooked: bool = True, **env: str) -> str:
    """Runs the worker; shows what it printed and what we logged; returns the hash of the embedding."""
    start = time.monotonic()
    done = machine.run(WORKER, hooked=hooked, env={**SHOW_LOG, **env}, timeout=240)
    seconds = time.monotonic() - start
    for line in done.stderr.splitlines():
        if line.startswith("ipfs_accelerate_py"):
            say(f"      {line}")
    if done.returncode:
        raise Difference(f"the worker failed:\n{done.stderr}")
    shown, sha256 = done.stdout.splitlines()[-2:]
    say(f"   {shown}   (whole process {seconds:.1f} s)")
    return sha256


def hashes(folder: Path) -> dict[str, str]:
    """File name -> etag that its bytes really have, for the one snapshot of the model below `folder`."""
    snapshots = list((folder / f"models--{MINILM.replace('/', '--')}" / "snapshots").glob("*"))
    if len(snapshots) != 1:
        raise Difference(f"{len(snapshots)} snapshots in {folder}")
    etags = {}
    for path in snapshots[0].rglob("*"):
        if path.is_file():
            sha256 = path.name.endswith(".safetensors")
            command = ["sha256sum", path] if sha256 else ["git", "hash-object", "--no-filters", path]
            answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            etags[path.relative_to(snapshots[0]).as_posix()] = answer.split()[0]
    return etags


def publish(machine: Machine) -> str:
    """Publishes the model from this machine's node; returns the publisher's name."""
    done = machine.hook("publish", MINILM, "--json", env={"IPFS_ACCELERATE": "1"})
    if done.returncode:
        raise Difference(f"publish failed:\n{done.stderr}")
    answer = json.loads(done.stdout)
    say(f"   {answer['files']} files, {answer['bytes'] / 1e6:.1f} MB, {answer['cid']}")
    say(f"   publisher {answer['publisher']}")
    return str(answer["publisher"])


def demo(folder: Path) -> None:
    root = folder / "models"
    add_minilm(root)
    hub = LocalHub(root).start()
    commit = next(iter(hub.repos.values())).refs["main"]
    etags = {
        name: blob.sha256 or blob.oid for name, blob in hub.repos["models", MINILM].commits[commit]["files"].items()
    }
    say(f"Hub on {hub.endpoint}: {MINILM} at {commit[:8]}, {len(etags)} files")

    say("\n1. Plain transformers, to compare with")
    plain = Machine(folder / "plain", hub=hub)
    expected = work(plain, hooked=False)
    say("   again, offline, from its full cache:")
    expect(work(plain, hooked=False, HF_HUB_OFFLINE="1") == expected, "equal")

    say("\n2. Machine A, with a node: the same worker, from the Hub")
    hub.log.clear()
    a = Machine(folder / "a", hub=hub, node=KuboNode)
    try:
        expect(work(a) == expected, "equal")
        say(f"   the Hub answered {len(hub.log)} requests and sent {sum(row['bytes'] for row in hub.log) / 1e6:.1f} MB")
        say("\n3. Machine A publishes the model")
        publisher = publish(a)
        hub.stop()
        hub.log.clear()

        say("\n4. Machine B: the Hub stopped, empty caches, a node of its own")
        assert a.node is not None
        b = Machine(folder / "b", hub=hub, node=KuboNode, bootstrap=[a.node], IPFS_ACCELERATE_PUBLISHERS=publisher)
        try:
            expect(work(b) == expected, "equal")
            expect(not hub.log, "the Hub answered 0 requests")
            stored = hashes(b.store)
            expect(
                "model.safetensors" in stored and all(etags.get(name) == etag for name, etag in stored.items()),
                f"{len(stored)} files in B's store, each with the hash that the Hub gave",
            )
        finally:
            b.stop()
    finally:
        hub.stop()
        a.stop()

    say("\n5. Machine B: the Hub and both nodes stopped")
    expect(work(b) == expected, "equal")
    expect(not hub.log, "the Hub answered 0 requests")


def main() -> int:
    if missing := KuboNode.missing():
        say(missing)
        return 1
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    with tempfile.TemporaryDirectory(prefix="ipfs-accelerate-demo-") as folder:
        try:
            demo(Path(folder))
        except Difference as difference:
            say(f"\nDIFFERENT: {difference}")
            return 1
    say("\nAll equal.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
