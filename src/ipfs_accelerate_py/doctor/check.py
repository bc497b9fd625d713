"""A check of the doctor, and how checks run side by side: within their budgets, none can stop the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..config.forms import without_secrets
from ..errors import IPFSAccelerateError

COMMAND = "python -m ipfs_accelerate_py.hook"


@dataclass(frozen=True)
class Result:
    """What a check found. `hint`: the command or setting that mends it, or how to get what is not configured."""

    ok: bool
    detail: str
    hint: str | None = None


@dataclass(frozen=True)
class Finding:
    """The result of a named check, as it may be shown: without secrets. `hint` as in `Result`."""

    name: str
    ok: bool
    detail: str
    hint: str | None

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def good(detail: str, hint: str | None = None) -> Result:
    """It is well, or it is not configured."""
    return Result(True, detail, hint)


def bad(detail: str, hint: str) -> Result:
    """It is not well."""
    return Result(False, detail, hint)


@dataclass(eq=False)
class Check:
    """`test` may raise and may hang. `needs` is the check without which this check means nothing."""

    name: str
    test: Callable[[], Result]
    stuck: str  # the hint if it does not end
    budget: float = 10.0  # seconds
    needs: Check | None = None
    _result: Result | None = field(default=None, init=False)
    _done: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        """Begin in a thread of its own, which need not be waited for."""
        threading.Thread(target=self._run, name=f"doctor: {self.name}", daemon=True).start()

    def wait(self, began: float) -> Result:
        """The result, or that there is none in time."""
        self._done.wait(max(0.0, began + self.latest() - time.monotonic()))
        return self._result or bad(f"no answer within {self.budget:g} s", self.stuck)

    def latest(self) -> float:
        """Seconds after the start of all checks at which this check has to be done."""
        return self.budget + (self.needs.latest() if self.needs else 0.0)

    def _run(self) -> None:
        try:
            # a moment longer than `wait`, so that both have the same result
            if self.needs and not (self.needs._done.wait(self.needs.latest() + 0.1) and self.needs.is_well()):
                name = self.needs.name
                self._result = bad(f"not tested, because '{name}' is not well", f"mend '{name}' first")
            else:
                self._result = self.test()
        except IPFSAccelerateError as error:
            self._result = bad(str(error), error.hint or self.stuck)
        except Exception as error:
            self._result = bad(f"{type(error).__name__}: {error}", self.stuck)
        finally:
            self._done.set()

    def is_well(self) -> bool:
        """Return whether it is done, and ok."""
        return self._result is not None and self._result.ok


def run(checks: list[Check], progress: Callable[[Finding], None] | None = None) -> list[Finding]:
    """Run all checks at once; their findings, in the order given, with which `progress` is called."""
    began = time.monotonic()
    for check in checks:
        check.start()
    findings: list[Finding] = []
    for check in checks:
        result = check.wait(began)
        hint = None if result.hint is None else without_secrets(result.hint)
        detail = without_secrets(" ".join(result.detail.split()))
        findings.append(Finding(without_secrets(check.name), result.ok, detail, hint))
        if progress is not None:
            progress(findings[-1])
    return findings
