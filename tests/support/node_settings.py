"""Kubo nodes as people configure them: a class of nodes for a set of settings."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from .node import KuboNode, NodeError


def kubo_with(*profiles: str, daemon: tuple[str, ...] = (), authorization: str = "", **config: Any) -> type[KuboNode]:
    """Nodes that were initialised with these profiles of Kubo's, then given these settings.

    A name such as `Import_CidVersion` is a section and a setting in it; a callable value gets the node. `daemon`: more
    arguments of `ipfs daemon`. `authorization`: the header with which the tests ask such a node.
    """

    class Configured(KuboNode):
        headers = {"Authorization": authorization} if authorization else {}

        def command(self) -> list[str]:
            if not (self.repo_path / "config").exists():
                init = [str(self.binary()), "init", "--empty-repo", f"--profile={','.join(('test', *profiles))}"]
                done = subprocess.run(init, env=self.environment(), capture_output=True, text=True)
                if done.returncode:
                    raise NodeError(done.stderr)
            command = super().command()
            path = self.repo_path / "config"
            found = json.loads(path.read_text())
            for name, value in config.items():
                *sections, setting = name.split("_")
                table = found
                for section in sections:
                    table = table.setdefault(section, {})
                table[setting] = value(self) if callable(value) else value
            path.write_text(json.dumps(found, indent=2))
            return [*command, *daemon]

    return Configured
