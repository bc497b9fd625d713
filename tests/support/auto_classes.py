"""The table in docs/auto_classes.md: `python -m tests.support.auto_classes` rewrites the installed version's column."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "auto_classes.md"
ROW = re.compile(r"^\| `(\w+)` \| (yes|-) \| (yes|-) \|$", re.MULTILINE)
LINES = ("4.57", "5")  # the columns, in order


def line_of(version: str) -> str:
    """Which column a version of transformers belongs to."""
    return LINES[0] if version.startswith("4.") else LINES[1]


def defined_classes() -> set[str]:
    """The names of the Auto* classes with a `from_pretrained` that the installed transformers defines."""
    package = importlib.import_module("transformers.models.auto")
    names = set()
    for module_name in (found.name for found in pkgutil.iter_modules(package.__path__)):
        if module_name.startswith(("modeling_tf_", "modeling_flax_")):
            continue  # TensorFlow and Flax: 4.57 still has them, nobody here installs them
        module = importlib.import_module(f"transformers.models.auto.{module_name}")
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == module.__name__
            if name.startswith("Auto") and isinstance(value, type) and own and hasattr(value, "from_pretrained"):
                names.add(name)
    return names


def read_table() -> dict[str, dict[str, bool]]:
    """Name -> {line: does it have the class}."""
    rows = ROW.findall(DOCUMENT.read_text()) if DOCUMENT.exists() else []
    return {name: dict(zip(LINES, (cell == "yes" for cell in cells), strict=True)) for name, *cells in rows}


def main() -> None:
    import transformers

    table, line, defined = read_table(), line_of(transformers.__version__), defined_classes()
    for name in defined | table.keys():
        table.setdefault(name, dict.fromkeys(LINES, False))[line] = name in defined
    kept = sorted((name, cells) for name, cells in table.items() if any(cells.values()))
    rows = [f"| `{name}` | {' | '.join('yes' if cells[each] else '-' for each in LINES)} |" for name, cells in kept]
    counts = " | ".join(str(sum(cells[each] for _, cells in kept)) for each in LINES)
    DOCUMENT.write_text(
        "# The Auto classes\n\n"
        "Every class named `Auto*` with a `from_pretrained` in the modules of `transformers.models.auto` is a proxy\n"
        "while the hook is in place. They are discovered, not listed; this table is what a test finds in the tested\n"
        "versions, 4.57.6 and 5.23.0 (TensorFlow's and Flax's of 4.57 are patched in the same way, and are not in the\n"
        "table).\n\n"
        f"| class | {' | '.join(LINES)} |\n| --- | --- | --- |\n" + "\n".join(rows) + f"\n| together | {counts} |\n"
    )


if __name__ == "__main__":
    main()
