"""datasets: two splits in Parquet, not compressed (a codec would see a flipped byte by itself)."""

import pyarrow
import pyarrow.parquet
from datasets import load_dataset


def make(root):
    folder = root / "datasets" / "tiny" / "rows" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for split, first in (("train", 0), ("test", 1000)):
        numbers = list(range(first, first + 100))
        table = pyarrow.table({"number": numbers, "text": [f"row {number}" for number in numbers]})
        path = folder / f"{split}-00000-of-00001.parquet"
        pyarrow.parquet.write_table(table, path, compression="none", use_dictionary=False)
    (folder.parent / "README.md").write_text(CARD)


CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
---
# Rows
"""


def load():
    return {split: list(rows) for split, rows in load_dataset("tiny/rows").items()}
