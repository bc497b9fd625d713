"""docs/trust.md: each row of the threat model names tests that are there, or says that nothing stops it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def rows():
    text = (ROOT / "docs" / "trust.md").read_text()
    table = text[text.index("| actor | can |") :].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table if row.startswith("|")]


def test_every_row_has_its_tests():
    assert len(rows()) >= 15
    for who, can, stops, shown in rows():
        named = re.findall(r"`(tests/[^`]+)`", shown)
        assert named or stops.startswith("nothing"), (who, can)
        for path in named:
            assert (ROOT / path).is_file(), path
