"""The figures of an agent for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...web.arriving import Arriving
from ...web.exposition import Metric
from ..counts import OTHERS

_PREFIX = "ipfs_accelerate_fleet_"
_VALUES = 200  # of a label; what comes later is counted as "others", so that no series goes back


def list_metrics(report: Mapping[str, Any], arriving: Sequence[Arriving]) -> Iterator[Metric]:
    """The metrics of an agent whose state and arriving files these are."""
    info = Metric(f"{_PREFIX}agent_info", "gauge", "The agent's version; always 1.")
    info.add(1, version=report["version"])
    yield info
    yield _one("agent_start_time_seconds", "gauge", "When the agent was started, since 1970.", report["started"])
    members = Metric(f"{_PREFIX}members", "gauge", "The other members that are known, by whether they are there.")
    there = sum(bool(member["there"]) for member in report["members"])
    members.add(there, state="there")
    members.add(len(report["members"]) - there, state="away")
    yield members
    corrupt = sum(bool(member["corrupt"]) for member in report["members"])
    yield _one("members_corrupt", "gauge", "Members that gave wrong bytes, which were not used.", corrupt)
    yield _one("models", "gauge", "Public repos of which there are files here.", report["models"])
    given = Metric(f"{_PREFIX}bytes_given_total", "counter", "Bytes of blobs given to a peer.")
    for peer, size in _bounded((peer, sum(states.values())) for peer, states in report["given"].items()).items():
        given.add(size, peer=peer)
    yield given
    requests = Metric(f"{_PREFIX}requests_total", "counter", "Requests that were answered, by status.")
    codes: Counter[str] = Counter()
    for statuses in report["requests"].values():
        codes.update(statuses)
    for code, number in _bounded(codes.items()).items():
        requests.add(number, code=code)
    yield requests
    refused = Metric(f"{_PREFIX}refused_total", "counter", "Requests that were refused before they were read.")
    for reason, number in _bounded(report["refused"].items()).items():
        refused.add(number, reason=reason)
    yield refused
    yield _one("streams", "gauge", "Blobs that are being given now.", report["streams"])
    yield _one("streams_cut_total", "counter", "Blobs that ended before their end.", report["cut"])
    yield _one("arriving", "gauge", "Files that are arriving in the store now.", len(arriving))
    arrived = sum(each.arrived for each in arriving)
    yield _one("arriving_bytes", "gauge", "What has arrived of the files that are arriving now.", arrived)
    kubo = report["kubo"]
    if kubo is not None:
        yield _one("kubo_up", "gauge", "Whether Kubo runs.", int(kubo["running"]))
        yield _one("kubo_restarts_total", "counter", "How often Kubo was started again.", kubo["restarts"])
    if "hub_wait" in report:
        text = "For how long the Hub has asked this network to wait."
        yield _one("hub_wait_seconds", "gauge", text, report["hub_wait"])


def _one(name: str, kind: Any, text: str, value: float) -> Metric:
    metric = Metric(_PREFIX + name, kind, text)
    metric.add(value)
    return metric


def _bounded(rows: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for label, value in rows:
        label = label if label in found or len(found) < _VALUES else OTHERS
        found[label] = found.get(label, 0) + value
    return found
