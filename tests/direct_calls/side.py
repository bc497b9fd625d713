"""One side, plain or hooked: its Hub, its home, its interpreter."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

from tests.support.forks import Interpreter, NoAnswer
from tests.support.local_hub import LocalHub

from .call import Call
from .repos import make_hub
from .seen import Seen, bars, normalise

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
        environment = {**self.hub.env(), "PYTHONHASHSEED": "0"}
        self._interpreter = Interpreter("tests.direct_calls.child", folder, hooked, environment)
        self._interpreter.wait_until_ready()
        self._warm = folder / "warm"
        self._prepare()

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
        order = {"expression": call.expression, "offline": call.offline, "names": self.names, "home": str(self.home)}
        try:
            found = self._interpreter.ask(order, LIMIT)
        except NoAnswer as error:
            return {"error": error.kind, "text": error.text}
        for name in ("stdout", "stderr"):
            found[name] = bars((self.folder / name).read_text(errors="replace"))
        hubs = {self.hub.endpoint: "HUB", self.other.endpoint: "OTHER", self.hub.cdn_url: "CDN"}
        return json.loads(normalise(json.dumps(found), self.home, hubs))  # type: ignore[no-any-return]

    def stop(self) -> None:
        self._interpreter.stop()
        for hub in (self.hub, self.other):
            if isinstance(hub, LocalHub):
                hub.stop()


def _changes(warm: Seen, found: Seen) -> dict[str, str]:
    """What a call has changed in a warm home."""
    before, after = warm["files"], found["files"]
    gone = {name: "gone" for name in before if name not in after}
    return {**{name: what for name, what in after.items() if before.get(name) != what}, **gone}
