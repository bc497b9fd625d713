"""A small Hugging Face Hub on loopback, for tests and the demo; the real huggingface_hub and hf_xet clients accept it.

    with LocalHub("MODELS", tokens={"hf_alice": "alice"}) as hub:
        hub.fault(match=r"GET .*safetensors", truncate=11_000_000, times=1)
        subprocess.run([...], env={**os.environ, **hub.env(token="hf_alice")})
        assert not [request for request in hub.log if request["method"] == "HEAD"]

MODELS/<org>/<name>/... (or MODELS/<name>/..., MODELS/datasets/...) are the repos. A `hub.json` in a repo sets
{"private": bool, "gated": false | "auto" | "manual", "allow": ["user"], "tags": []} and is not served. `hub.scan()`
makes a new commit from each folder that changed. Commit ids are what git computes from the content, so the same
folder has the same id every time. HF_ENDPOINT is read when huggingface_hub is imported: set it before that.

Spoken: resolve (LFS by redirect to a second origin, `cdn="same"`, `"none"`, `resolve_cache=True`), ranges, model
info, tree, paths-info, refs, commits, search, whoami, gating, private repos, the Hub's error codes, uploads (LFS
basic), and with `xet=True` the download side of Xet. Not spoken: Xet uploads (set HF_HUB_DISABLE_XET=1),
discussions, git clone.

Faults: see `Fault`. Mirrors that are not the whole Hub: `mirror=Mirror(...)`. Shaping: `latency` and
`bandwidth` of the constructor. All of it also by HTTP under /__admin__.
"""

from .mirror import Mirror
from .server import LocalHub

__all__ = ["LocalHub", "Mirror"]
