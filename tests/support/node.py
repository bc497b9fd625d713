"""Private IPFS nodes on loopback: Kubo, as users run it.

A node is created, started, connected, stopped; its ports stay the same over a restart. What it answers over the HTTP
RPC stands in rpc.md; tests/integration/test_nodes.py checks what the project relies on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from .ipfs_node import IpfsNode, NodeError, free_port, swarm_address

__all__ = ["IpfsNode", "KuboNode", "NodeError", "free_port", "swarm_address"]

BUILT = Path(__file__).resolve().parents[2] / ".tools" / "ipfs"
# one key for all: it keeps strangers out, and says "private swarm" to whoever reads the repo
SWARM_KEY = "/key/swarm/psk/1.0.0/\n/base16/\n" + "5a" * 32 + "\n"


class KuboNode(IpfsNode):
    """The `ipfs` binary that IPFS_BIN names, that PATH holds or that `make node` built, in a private swarm."""

    @staticmethod
    def binary() -> str | None:
        if named := os.environ.get("IPFS_BIN"):
            return shutil.which(named)
        return shutil.which("ipfs") or shutil.which(BUILT)

    @classmethod
    def missing(cls) -> str:
        """Empty if it can be started here, else what to do."""
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
        if binary is None:
            raise NodeError(self.missing())
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
