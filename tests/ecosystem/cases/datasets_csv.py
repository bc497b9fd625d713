"""datasets: CSV, without a card: the folder is looked through."""

from datasets import load_dataset


def make(root):
    folder = root / "datasets" / "tiny" / "lines"
    folder.mkdir(parents=True, exist_ok=True)
    for split, first in (("train", 0), ("test", 1000)):
        rows = [f"{number},row {number}\n" for number in range(first, first + 100)]
        (folder / f"{split}.csv").write_text("number,text\n" + "".join(rows))


def load():
    return {split: list(rows) for split, rows in load_dataset("tiny/lines").items()}
