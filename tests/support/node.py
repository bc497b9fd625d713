"""Private IPFS nodes on loopback: Kubo, which users run, and the JavaScript node, which npm can install anywhere.

Both are `IpfsNode`s: created, started, connected, stopped; their ports stay the same over a restart. What the two
answer over the HTTP RPC stands in rpc.md; tests/integration/test_nodes.py checks what the project relies on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from .ipfs_node import IpfsNode, NodeError, free_port, swarm_address

__all__ = [
    "IMPLEMENTATIONS",
    "IpfsNode",
    "JavaScriptNode",
    "KuboNode",
    "NodeError",
    "available",
    "free_port",
    "swarm_address",
]

BUILT = Path(__file__).resolve().parents[2] / ".tools" / "ipfs"
JAVASCRIPT_FOLDER = Path(__file__).parent / "javascript_node"
# one key for all: it keeps strangers out, and says "private swarm" to whoever reads the repo
SWARM_KEY = "/key/swarm/psk/1.0.0/\n/base16/\n" + "5a" * 32 + "\n"


class KuboNode(IpfsNode):
    """The `ipfs` binary that IPFS_BIN names, that PATH holds or that `make node` built, in a private swarm."""

    implementation = "kubo"

    @staticmethod
    def binary() -> str | None:
        if named := os.environ.get("IPFS_BIN"):
            return shutil.which(named)
        return shutil.which("ipfs") or shutil.which(BUILT)

    @classmethod
    def missing(cls) -> str:
        if cls.binary():
            return ""
        if named := os.environ.get("IPFS_BIN"):
            return f"no Kubo: IPFS_BIN names {named}, which is no program"
        return "no Kubo: run `make node`, which builds it with Go"

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "IPFS_PATH": str(self.repo_path),
            "LIBP2P_FORCE_PNET": "1",
            "IPFS_TELEMETRY": "off",
        }

    def command(self) -> list[str]:
        binary = self.binary()
        assert binary is not None
        if not (self.repo_path / "config").exists():
            init = [binary, "init", "--empty-repo", "--profile=test"]
            done = subprocess.run(init, env=self.environment(), capture_output=True, text=True)
            if done.returncode:
                raise NodeError(done.stderr)
        (self.repo_path / "swarm.key").write_text(SWARM_KEY)
        config_path = self.repo_path / "config"
        config = json.loads(config_path.read_text())
        config["Addresses"] |= {
            "API": self.api,
            "Gateway": f"/ip4/127.0.0.1/tcp/{self.gateway_port}",
            "Swarm": [f"/ip4/127.0.0.1/tcp/{self.swarm_port}"],
        }
        # nothing may ask the public network: no defaults from there, no look-ups, no relays, no delegates
        config |= {
            "AutoConf": {"Enabled": False},
            "AutoTLS": {"Enabled": False},
            "AutoNAT": {"ServiceMode": "disabled"},
            "Bootstrap": [],
            "DNS": {"Resolvers": {}},
            "Discovery": {"MDNS": {"Enabled": False}},
            "HTTPRetrieval": {"Enabled": False},
            # a gateway would show what a name pointed to up to 5 s ago: too long between two tests
            "Ipns": {"DelegatedPublishers": [], "MaxCacheTTL": "0s"},
            "Routing": {"Type": "dht", "LoopbackAddressesOnLanDHT": True, "DelegatedRouters": []},
            "Version": {"SwarmCheckEnabled": False},
        }
        config["Experimental"]["FilestoreEnabled"] = True
        config["Swarm"] |= {
            "DisableNatPortMap": True,
            "EnableHolePunching": False,
            "RelayClient": {"Enabled": False},
            "RelayService": {"Enabled": False},
            "Transports": {"Network": {"QUIC": False, "Websocket": False, "WebRTCDirect": False}},
        }
        config_path.write_text(json.dumps(config, indent=2))
        return [binary, "daemon"]


class JavaScriptNode(IpfsNode):
    """The node of tests/support/javascript_node. It has neither a swarm key nor a filestore."""

    implementation = "javascript"

    @classmethod
    def missing(cls) -> str:
        if shutil.which("node") is None:
            return "no JavaScript node: install Node.js 20 with npm, then `make node`"
        if not (JAVASCRIPT_FOLDER / "node_modules" / "ipfs-core").is_dir():
            return "no JavaScript node: run `make node`"
        return ""

    def command(self) -> list[str]:
        options = {
            "repo": str(self.repo_path),
            "api": self.api_port,
            "gateway": self.gateway_port,
            "swarm": self.swarm_port,
        }
        return ["node", str(JAVASCRIPT_FOLDER / "node.mjs"), json.dumps(options)]


IMPLEMENTATIONS: dict[str, type[IpfsNode]] = {"kubo": KuboNode, "javascript": JavaScriptNode}


def available() -> list[str]:
    """The implementations that can be started here, best first."""
    return [name for name, implementation in IMPLEMENTATIONS.items() if not implementation.missing()]


def asked_for() -> list[str]:
    """The implementations to test with. In continuous integration those that are there, so that nothing is skipped.

    Where a person looks, all: a missing one shows as skipped, with what to install.
    """
    present = available()
    return present if os.environ.get("CI") and present else list(IMPLEMENTATIONS)
