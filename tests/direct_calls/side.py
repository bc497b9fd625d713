"""One side, plain or hooked: its Hub, its home, its interpreter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.local_hub import LocalHub
from tests.support.machine import NOT_INHERITED

from .call import Call
from .repos import make_hub
from .seen import Seen, bars, normalise

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0
WARM = (
    "[snapshot_download('acme/model'), snapshot_download('acme/model', revision='v1'), "
    "snapshot_download('acme/rows', repo_type='dataset'), snapshot_download('acme/app', repo_type='space'), "
    "snapshot_download('acme/model', cache_dir='own'), failing(lambda: hf_hub_download('acme/model', 'missing.json'))]"
)


class Side:
    def __init__(self, folder: Path, hooked: bool) -> None:
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir(parents=True)
        self.hub, self.names = make_hub()
        self.hub.start()
        self.other = make_hub()[0].start()
        self.names |= {"EP": self.hub.endpoint, "OTHER": self.other.endpoint}
        self.requests = 0
        self._start(hooked)
        self._imported: set[str] = set()
        self._warm = folder / "warm"
        self._prepare()

    def _start(self, hooked: bool) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        places = {"HOME": self.home, "HF_HOME": self.home / "hf", "IPFS_ACCELERATE_HOME": self.home / "store"}
        environment = {
            **kept,
            **{name: str(place) for name, place in places.items()},
            **self.hub.env(),
            "IPFS_ACCELERATE": "1" if hooked else "0",
            "IPFS_ACCELERATE_NODE": "off",
            "PYTHONHASHSEED": "0",
        }
        words = ["-m", "tests.direct_calls.child"]
        words = ["-m", "ipfs_accelerate_py.hook", "run", *words] if hooked else words
        self._log = open(self.folder / "log", "wb")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        assert self._hear()["ready"]

    def _prepare(self) -> None:
        """Make the warm home; the imports of each kind of call are done before the first is observed."""
        self._ask(Call(WARM, "cold"))
        self._lay("cold")
        said = self._ask(Call(WARM, "cold"))
        assert "value" in said, said
        self.warm = said
        subprocess.run(["cp", "-a", self.home, self._warm], check=True)

    def run(self, call: Call) -> Seen:
        """One call, in a home of its state."""
        self._lay(call.state)
        before, began = len(self.hub.log), time.monotonic()
        found = self._ask(call)
        found["seconds"] = round(time.monotonic() - began, 2)
        if call.state == "warm" and "files" in found:
            found["files"], found["locks"] = _changes(self.warm, found), found["locks"] != self.warm["locks"]
        found["requests"] = len(self.hub.log) - before
        self.requests += found["requests"]
        return found

    def _lay(self, state: str) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        if state == "warm":
            subprocess.run(["cp", "-a", self._warm, self.home], check=True)
        else:
            self.home.mkdir()

    def _ask(self, call: Call) -> Seen:
        answer = self.folder / "answer.json"
        answer.unlink(missing_ok=True)
        order = {"expression": call.expression, "offline": call.offline, "names": self.names, "limit": LIMIT}
        self._tell({**order, "folder": str(self.folder), "home": str(self.home)})
        if not self._hear()["ended"]:
            return {"error": "never", "text": f"no end within {LIMIT:g} s"}
        if not answer.exists():
            return {"error": "died", "text": (self.folder / "stderr").read_text(errors="replace")[-500:]}
        found: dict[str, Any] = json.loads(answer.read_text())
        new = set(found.pop("modules")) - self._imported
        self._imported |= new
        self._tell({"import": sorted(new)})
        for name in ("stdout", "stderr"):
            found[name] = bars((self.folder / name).read_text(errors="replace"))
        hubs = {self.hub.endpoint: "HUB", self.other.endpoint: "OTHER", self.hub.cdn_url: "CDN"}
        return json.loads(normalise(json.dumps(found), self.home, hubs))  # type: ignore[no-any-return]

    def _tell(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the interpreter is gone: {(self.folder / 'log').read_text()[-2000:]}")
        return json.loads(line)  # type: ignore[no-any-return]

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()
        for hub in (self.hub, self.other):
            if isinstance(hub, LocalHub):
                hub.stop()


def _changes(warm: Seen, found: Seen) -> dict[str, str]:
    """What a call has changed in a warm home."""
    before, after = warm["files"], found["files"]
    gone = {name: "gone" for name in before if name not in after}
    return {**{name: what for name, what in after.items() if before.get(name) != what}, **gone}
