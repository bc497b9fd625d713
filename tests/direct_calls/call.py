"""One call: an expression, the state of the caches, offline or not."""

from __future__ import annotations

from dataclasses import dataclass

STATES = ("cold", "warm")


@dataclass(frozen=True)
class Call:
    expression: str
    state: str = "warm"
    offline: bool = False

    def __str__(self) -> str:
        return f"{self.state}{' offline' if self.offline else ''}: {self.expression}"


def both(expressions: list[str], offline: bool = False) -> list[Call]:
    """Each expression in each state."""
    return [Call(each, state, offline) for each in dict.fromkeys(expressions) for state in STATES]


def write(function: str, base: dict[str, str], change: dict[str, str] | None = None) -> str:
    """The call as source text; arguments are source text."""
    arguments = {**base, **(change or {})}
    return f"{function}({', '.join(f'{name}={value}' for name, value in arguments.items())})"
