"""Prints medians of alternating runs, with their ratio to the first row."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median


def alternate(ways: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run each way once per round, in turn; the figures of each."""
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            figures[name].append(way())
    return figures


def show(figures: dict[str, list[float]], unit: str = "s", scale: float = 1.0) -> None:
    """One row per way: median, lowest, highest, median of the differences to the first row, ratio of medians."""
    first = next(iter(figures.values()))
    width = max(map(len, figures))
    print(f"  {'':{width}}  {'median':>9}  {'lowest':>9}  {'highest':>9}  {'difference':>10}  ratio")
    for name, row in figures.items():
        difference = median(b - a for a, b in zip(first, row, strict=True))
        numbers = [median(row) * scale, min(row) * scale, max(row) * scale]
        text = "  ".join(f"{number:9.3f}" for number in numbers)
        print(f"  {name:{width}}  {text}  {difference * scale:+10.3f}  {median(row) / median(first):.3f}  ({unit})")
