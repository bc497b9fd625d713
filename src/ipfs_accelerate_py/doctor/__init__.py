"""`doctor`: tries each thing for real, and gives for each failure the command or setting that mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config.settings import Settings


def run_checks(settings: Settings, progress: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """`{ok, checks: [{name, ok, detail, hint}]}`, within 30 s whatever hangs; never raises.

    `progress` is called with each row, in their order, as soon as it is known. What is not configured is ok.
    """
    from . import (
        check,
        environment,
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
        *publishers.checks(settings),
        *gateways.checks(settings),
        *mirrors.checks(settings),
        *network.checks(settings),
        interpreter.doors_check(),  # the slowest comes last: the others need not wait to be shown
    ]
    rows = check.run(checks, progress)
    return {"ok": all(row["ok"] for row in rows), "checks": rows}


def render_row(row: dict[str, Any]) -> str:
    """One check for a person: `ok` or `FAIL`, its name and detail, and an indented line with the hint."""
    line = f"{'ok' if row['ok'] else 'FAIL':<4}  {row['name']}: {row['detail']}"
    return f"{line}\n      Hint: {row['hint']}" if row["hint"] else line


def render(result: dict[str, Any]) -> str:
    """All checks for a person, and what came out of them in a last line."""
    failed = [row["name"] for row in result["checks"] if not row["ok"]]
    count = len(result["checks"])
    last = f"{len(failed)} of {count} checks failed: {', '.join(failed)}" if failed else f"all {count} checks are well"
    return "\n".join([*map(render_row, result["checks"]), last])
