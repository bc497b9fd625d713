"""python -m tests.direct_calls [WORDS]: the calls, plain and hooked; how many differ is the exit code (at most 100)."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .call import Call
from .compare import WARM_HOME, all_calls, differences, measure, short_calls


def main() -> int:
    parser = argparse.ArgumentParser(prog="direct_calls")
    parser.add_argument("words", nargs="*", help="only calls whose text has one of them")
    parser.add_argument("--short", action="store_true", help="the short form")
    parser.add_argument("--plain", action="store_true", help="plain beside plain: what is not the hook's")
    parser.add_argument("--json", metavar="FILE", help="write every answer there")
    arguments = parser.parse_args()
    calls = short_calls() if arguments.short else all_calls()
    calls = [
        *(call for call in calls if not arguments.words or any(word in str(call) for word in arguments.words)),
        WARM_HOME,
    ]
    began, work = time.monotonic(), Path(tempfile.mkdtemp(prefix="direct-calls-"))
    try:
        with ThreadPoolExecutor(2) as pool:
            sides = [(work / "first", False), (work / "second", not arguments.plain)]
            plain, hooked = pool.map(lambda side: measure(calls[:-1], *side), sides)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if arguments.json:
        rows = [{"call": str(call), "plain": plain[call], "hooked": hooked[call]} for call in calls]
        Path(arguments.json).write_text(json.dumps(rows, indent=1))
    return report(calls, plain, hooked, time.monotonic() - began)


def report(calls: list[Call], plain: dict, hooked: dict, seconds: float) -> int:  # type: ignore[type-arg]
    """The differences by call, then the totals."""
    count, fields = 0, dict[str, int]()
    for call in calls:
        found = differences(call, plain[call], hooked[call])
        count += bool(found)
        for field, (first, second) in found.items():
            fields[field] = fields.get(field, 0) + 1
            print(f"{call}\n  {field}\n    plain  {first}\n    hooked {second}")
    asked = [sum(side[call].get("requests", 0) for call in calls) for side in (plain, hooked)]
    more = [call for call in calls if hooked[call].get("requests", 0) > plain[call].get("requests", 0)]
    line = importlib.metadata.version("huggingface_hub")
    print(f"huggingface_hub {line}: {len(calls)} calls, {count} differ {fields or ''}, {seconds:.0f} s")
    print(f"requests: plain {asked[0]}, hooked {asked[1]}; more than plain in {len(more)} calls")
    for call in more[:20]:
        print(f"  {plain[call]['requests']} -> {hooked[call]['requests']} {call}")
    return min(count, 100)


if __name__ == "__main__":
    sys.exit(main())
