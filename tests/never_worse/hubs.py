"""States of the Hub, of a mirror in its place, and of a node: real servers on loopback."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.local_hub import LocalHub, Mirror
from tests.support.small_server import silence

API, FILES, CDN = r" (/\w+)?/api/", "/resolve/", "/_blob/"
SIGN_IN = "<!DOCTYPE html><html><body><h1>Sign in to the network</h1></body></html>"


@dataclass(frozen=True)
class HubState:
    """`options` and `faults` of a LocalHub; `there`: whether it listens. `node`: what is where the node should be.

    `silent`: no answer comes within IPFS_ACCELERATE_TIMEOUT. Then the commit that this machine knows counts, as
    docs/trust.md says, also where plain would wait and learn of a newer one.
    """

    options: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    there: bool = True
    node: str = ""
    silent: bool = field(default=False, repr=False)

    @contextlib.contextmanager
    def serve(self, repos: dict[str, list[Path]]) -> Iterator[dict[str, str]]:
        """The environment in which it is the Hub."""
        with contextlib.ExitStack() as stack:
            environment = {}
            if self.node:
                where = silence() if self.node == "hangs" else nobody()
                environment["IPFS_ACCELERATE_NODE"] = stack.enter_context(where)
            if not self.there:
                yield {**environment, "HF_ENDPOINT": stack.enter_context(nobody())}
                return
            hub = stack.enter_context(LocalHub(**self.options))
            for repo_id, folders in repos.items():
                for folder in folders:
                    hub.add(repo_id, str(folder))
            for fault in self.faults:
                hub.fault(**fault)
            yield {**environment, "HF_ENDPOINT": hub.endpoint}


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """The URL of a port that is taken, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def _api(**fault: Any) -> HubState:
    return HubState(faults=({"match": API, **fault},))


def _mirror(cdn: str = "none", **what: Any) -> HubState:
    return HubState({"mirror": Mirror(**what), "cdn": cdn})


HUBS: dict[str, HubState] = {
    "well": HubState(),
    "slow": HubState({"latency": 1.5}, silent=True),
    "api-403": _api(status=403),
    "api-404": _api(status=404),
    "api-429": _api(status=429),
    "api-500": _api(status=500),
    "api-sign-in-page": _api(html=SIGN_IN),
    "refuses": HubState(there=False),
    "503": HubState(faults=({"status": 503},)),
    "mirror-drops-query": _mirror(query=False),
    "mirror-md5-etags": _mirror(etag="md5"),
    "half-refused": HubState(faults=({"reset": True, "every": 2},)),
    # the twelve above are those of the matrix of 144
    "sign-in-page": HubState(faults=({"html": SIGN_IN},)),
    "hangs": HubState(faults=({"hang": True},), silent=True),
    "api-hangs": _api(hang=True),
    "api-resets": _api(reset=True),
    "files-403": HubState(faults=({"match": FILES, "status": 403},)),
    "files-404": HubState(faults=({"match": FILES, "status": 404},)),
    "cdn-resets": HubState(faults=({"match": CDN, "reset": True},)),
    "cdn-hangs": HubState(faults=({"match": CDN, "hang": True},)),
    "mirror-sha1-etags": _mirror(etag="sha1"),
    "mirror-weak-etags": _mirror(etag="weak"),
    "mirror-no-etags": _mirror(etag="none"),
    "mirror-drops-query-and-md5-etags": _mirror(query=False, etag="md5"),
    "mirror-drops-query-and-weak-etags": _mirror(query=False, etag="weak"),
    "mirror-below-a-prefix": _mirror("other", prefix="/prefix"),
    "mirror-drops-query-below-a-prefix": _mirror(query=False, prefix="/prefix"),
    "mirror-no-commit-header": _mirror("other", commit=False),
    "mirror-files-behind": _mirror("other", behind="files"),
    "mirror-branch-behind": _mirror("other", behind="branch"),
    "node-refuses": HubState(node="refuses"),
    "node-hangs": HubState(node="hangs"),
    "node-hangs-and-api-500": HubState(faults=({"match": API, "status": 500},), node="hangs"),
}
MATRIX = tuple(HUBS)[:12]
