"""A process that writes a blob as it is told, line by line. Arguments: STORE REPO ETAG SIZE FILE.

`write END`: the bytes of the file up to there; `finish`; `discard`; `begin`: anew. It says `done` after each.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.entry import Entry
from ipfs_accelerate_py.store.store import Store
from tests.support.agent import REPOSITORY


class WritingProcess:
    """The process; a context manager. It is killed in the end."""

    def __init__(self, store: Path, repo_id: str, entry: Entry, source: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(store), repo_id, entry.etag, str(entry.size), str(source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )

    def __enter__(self) -> WritingProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def tell(self, *words: object) -> None:
        """Let it do something, and wait until that is done."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(*words, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def main() -> None:
    store, repo_id, etag, size, source = sys.argv[1:]
    entry = Entry(int(size), "e" * 40, etag)
    content = Path(source).read_bytes()
    writer = Store(Path(store)).new_writer(repo_id, entry)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "write":
            writer.write(content[writer.size : int(rest[0])])
        elif word == "finish":
            writer.finish(Path(store) / layout.blob_path(repo_id, etag))
        elif word == "begin":
            writer.start()
        else:
            writer.discard(keep_part=word == "keep")
        print("done", flush=True)


if __name__ == "__main__":
    main()
