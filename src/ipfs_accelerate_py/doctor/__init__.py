"""`doctor`: tests every part for real, and gives for a failure the command or setting that mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config.settings import Settings

if TYPE_CHECKING:
    from .check import Finding


@dataclass(frozen=True)
class Report:
    """The findings of the checks, in their order."""

    checks: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Return whether every check is well."""
        return all(finding.ok for finding in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, "checks": [finding.to_dict() for finding in self.checks]}


def run_checks(settings: Settings, progress: Callable[[Finding], None] | None = None) -> Report:
    """Run all checks, within 30 s whatever hangs; never raises.

    `progress` is called with every finding, in their order, as soon as it is known. What is not configured is ok.
    """
    from . import (
        check,
        environment,
        fleet,
        folders,
        gateways,
        hf_cache,
        interpreter,
        mirrors,
        network,
        publishers,
        swarm,
    )

    checks = [
        *environment.checks(settings),
        interpreter.hook_check(),
        *folders.checks(settings),
        hf_cache.check_of(settings),
        *swarm.checks(settings),
        fleet.check_of(settings),
        *publishers.checks(settings),
        *gateways.checks(settings),
        *mirrors.checks(settings),
        *network.checks(settings),
        interpreter.doors_check(),  # the slowest comes last: the others need not wait to be shown
    ]
    return Report(tuple(check.run(checks, progress)))


def render_finding(finding: Finding) -> str:
    """One check for a person: `ok` or `FAIL`, its name and detail, and an indented line with the hint."""
    line = f"{'ok' if finding.ok else 'FAIL':<4}  {finding.name}: {finding.detail}"
    return f"{line}\n      Hint: {finding.hint}" if finding.hint else line


def sum_up(report: Report) -> str:
    """One line for a person: what came out of all checks."""
    failed = [finding.name for finding in report.checks if not finding.ok]
    count = len(report.checks)
    return f"{len(failed)} of {count} checks failed: {', '.join(failed)}" if failed else f"all {count} checks are well"
