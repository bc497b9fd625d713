"""Figures as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Metric:
    """A metric with its samples. Of one kind of thing there is one sample for each set of labels."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        """Add a sample."""
        self.samples.append((labels, value))


def write_metrics(metrics: Iterable[Metric]) -> str:
    """The text of metrics; their names and those of labels are ours, and right."""
    lines: list[str] = []
    for metric in metrics:
        lines += (f"# HELP {metric.name} {_escape(metric.help)}", f"# TYPE {metric.name} {metric.kind}")
        for labels, value in metric.samples:
            lines.append(f"{metric.name}{_write_labels(labels)} {_write_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _write_labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escape(value, quotes=True)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escape(text: str, *, quotes: bool = False) -> str:
    text = text.encode("utf-8", "replace").decode()  # half a surrogate pair, which JSON lets through
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _write_number(value: float) -> str:
    if isinstance(value, int):
        return str(int(value))
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
