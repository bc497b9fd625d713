"""faster-whisper's own download; the model is a blob, which ctranslate2 would not read."""

import random
from pathlib import Path

from faster_whisper import download_model


def make(root):
    folder = root / "tiny" / "whisper"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "preprocessor_config.json", "tokenizer.json", "vocabulary.json", "README.md"):
        (folder / name).write_text(f'["{name}"]\n')
    (folder / "model.bin").write_bytes(random.Random(7).randbytes(300_000))


def load():
    folder = Path(download_model("tiny/whisper"))
    return {path.name: path for path in sorted(folder.iterdir())}
