"""The cells: which states come together, which of them the short form has, and how they are chosen by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import product

from .caches import CACHES
from .hubs import HUBS, MATRIX
from .loads import LOADS
from .stores import FLEETS, STORES

PARTS = ("config", "tokenizer", "model")
OTHERS = ("processor", "image-processor", "pipeline", "remote-code", "templates", "has-file")
PARTLY = ("nothing", "config", "model", "tokenizer")


@dataclass(frozen=True)
class Cell:
    """Names in CACHES, STORES, HUBS and LOADS."""

    cache: str
    store: str
    hub: str
    load: str

    def __str__(self) -> str:
        return f"cache={self.cache} store={self.store} hub={self.hub} load={self.load}"

    @property
    def like(self) -> Cell | None:
        """The cell of a plain process that has loaded before what our store has; see StoreState."""
        like = STORES[self.store].like
        both = like if self.cache == "nothing" else f"{self.cache}+{like}"
        return replace(self, cache=both, store="empty") if like and both in CACHES else None

    @property
    def in_matrix(self) -> bool:
        return self in MATRIX_CELLS


def _cells(caches, stores, hubs, loads) -> list[Cell]:  # type: ignore[no-untyped-def]
    return [Cell(*names) for names in product(caches, stores, hubs, loads)]


MATRIX_CELLS = dict.fromkeys(_cells(PARTLY, ("empty",), MATRIX, PARTS))
# Waits here take plain half a minute for each thing that is loaded: fewer cells have them.
LONG = ("hangs", "api-hangs", "api-resets", "503", "refuses", "cdn-hangs", "node-hangs-and-api-500")
# In the short form plain is not waited for here.
PATIENT = (*LONG, "slow", "api-429", "api-500")
QUICK = tuple(name for name in HUBS if name not in LONG)
# one report of each kind of fault that users have met
REPORTED = [
    Cell("model", "empty", "slow", "tokenizer"),
    Cell("config", "empty", "api-403", "tokenizer"),
    Cell("model", "empty", "api-404", "tokenizer"),
    Cell("config", "empty", "api-sign-in-page", "tokenizer"),
    Cell("config", "empty", "api-403", "model"),
    Cell("tokenizer", "empty", "api-404", "model"),
    Cell("config", "empty", "api-sign-in-page", "model"),
    Cell("nothing", "empty", "mirror-drops-query", "config"),
    Cell("nothing", "empty", "mirror-drops-query", "tokenizer"),
    Cell("nothing", "empty", "mirror-drops-query", "model"),
    Cell("nothing", "0.1.0-empty-listing", "well", "tokenizer"),
    Cell("nothing", "0.1.0-listing-without-hashes", "well", "model"),
    Cell("nothing", "empty", "mirror-md5-etags", "model"),
    Cell("nothing", "empty", "mirror-drops-query-and-md5-etags", "model"),
    Cell("nothing", "empty", "mirror-no-etags", "config"),
    Cell("nothing", "empty", "mirror-no-commit-header", "config"),
    Cell("nothing", "empty", "mirror-files-behind", "model"),
    Cell("nothing", "empty", "mirror-branch-behind", "model"),
    Cell("nothing", "empty", "mirror-below-a-prefix", "model"),
    Cell("nothing", "empty", "half-refused", "tokenizer"),
    Cell("nothing", "empty", "well", "remote-code"),
    Cell("older-commit", "empty", "well", "tokenizer"),
    Cell("ref-without-snapshot", "empty", "well", "model"),
    Cell("dangling-links", "empty", "well", "tokenizer"),
    Cell("ref-with-newline", "empty", "well", "config"),
    Cell("listing-of-0-files", "empty", "well", "tokenizer"),
    Cell("half-written", "empty", "well", "model"),
    Cell("nothing", "empty", "cdn-resets", "model"),
    Cell("everything", "empty", "hangs", "tokenizer"),
    Cell("everything", "empty", "refuses", "model"),
    Cell("nothing", "empty", "well", "templates"),
    Cell("nothing", "empty", "well", "has-file"),
    Cell("nothing", "empty", "well", "pipeline"),
    Cell("nothing", "empty", "well", "processor"),
    Cell("nothing", "empty", "well", "left-for-others"),
    Cell("nothing", "empty", "well", "after-a-push"),
    Cell("everything", "complete", "well", "after-a-push"),
    Cell("nothing", "empty", "well", "mock"),
    Cell("everything", "empty", "well", "tokenizer-local-only"),
    # and the same on a machine that is in a fleet
    Cell("config", "in-a-fleet", "api-403", "tokenizer"),
    Cell("nothing", "in-a-fleet", "mirror-drops-query", "model"),
    Cell("everything", "in-a-fleet", "refuses", "model"),
    Cell("nothing", "in-a-fleet-that-has-all", "cdn-resets", "model"),
    Cell("nothing", "in-a-fleet-that-has-all", "mirror-md5-etags", "tokenizer"),
]


def all_cells() -> list[Cell]:
    """Every pair of states is in some cell; those of three are where two of them concern one another."""
    rest = [name for name in CACHES if name not in (*PARTLY, "tokenizer+config", "remote-code+config")]
    more = [name for name in STORES if name != "empty" and name not in FLEETS]
    found = [
        *MATRIX_CELLS,
        *REPORTED,
        *_cells(rest, ("empty",), MATRIX, ("tokenizer", "model")),
        *_cells(PARTLY, ("empty",), HUBS, ("tokenizer",)),
        *_cells(("nothing", "model"), ("empty",), HUBS, ("model",)),
        *_cells(("nothing",), more, QUICK, ("tokenizer", "model")),
        *_cells(("model",), more, MATRIX, ("tokenizer",)),
        *_cells(("nothing", "everything"), ("empty",), QUICK, OTHERS),
        *_cells(("nothing", "config"), ("partial", "complete"), LONG, ("tokenizer",)),
        *_cells(CACHES, ("empty", "partial"), ("well",), LOADS),
        *_cells(("everything",), ("empty",), LONG, ("remote-code", "pipeline", "templates")),
        *_cells(("everything", "ref-with-newline"), ("empty",), ("refuses",), [n for n in LOADS if "local-only" in n]),
        *_cells(("nothing", "model"), FLEETS, MATRIX, ("tokenizer",)),
        *_cells(("nothing",), FLEETS, QUICK, ("model",)),
        *_cells(("nothing", "everything"), FLEETS[:2], ("well", "refuses"), LOADS),
        *_cells(CACHES, FLEETS[:1], ("well",), ("model",)),
    ]
    return list(dict.fromkeys(found))


def chosen(cells: list[Cell], expression: str) -> list[Cell]:
    """Those whose name has the words: `tokenizer and not slow`; `matrix` and `reported` are words too."""

    def fits(cell: Cell) -> bool:
        name = str(cell) + " matrix" * cell.in_matrix + " reported" * (cell in REPORTED)

        def hit(word: re.Match[str]) -> str:
            return word[0] if word[0] in ("and", "or", "not") else repr(word[0] in name)

        return bool(eval(re.sub(r"[^\s()]+", hit, expression), {"__builtins__": {}}))

    return [cell for cell in cells if not expression or fits(cell)]
