"""What the children of the crash tests run, and what must be true of a store at every moment."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from pathlib import Path

import huggingface_hub

from ipfs_accelerate_py.config.settings import Settings
from ipfs_accelerate_py.fetch.retrieval import Retrieval
from ipfs_accelerate_py.resolve import resolver
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store, read_tree

REPO = "acme/model"


def make_files(seed: int, size: int = 1_500_000) -> dict[str, bytes]:
    """A model of small files, one in a folder, and two large ones."""
    large = {f"weights{i}.safetensors": hashlib.shake_256(b"%d %d" % (seed, i)).digest(size) for i in range(2)}
    return {"config.json": b'{"seed": %d}' % seed, "sub/vocab.txt": b"a\nb\n" * 100, "empty.txt": b"", **large}


def fetch(home: str, endpoint: str, lower: str = "", timeout: float = 1.0) -> None:
    """Bring the model into a store, as `hook fetch` does."""
    from huggingface_hub import constants, file_download

    constants.ENDPOINT = endpoint
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    constants.HUGGINGFACE_CO_URL_TEMPLATE = template
    if hasattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE"):
        file_download.HUGGINGFACE_CO_URL_TEMPLATE = template
    settings = Settings(
        home=Path(home),
        node="off",
        lower=(Path(lower),) if lower else (),
        publish="off",
        publishers=(),
        timeout=timeout,
        log="WARNING",
        force_local=False,
    )
    store = Store(settings.home)
    resolution = resolver.resolve(store, settings, REPO, token=False, on_closed=print)
    Retrieval(store, settings, resolution, token=False).make_present(resolution.tree.files)


def context():
    """Starts children that have imported everything already, so that a kill hits the work and not the imports."""
    for name in [*os.environ]:
        if name.startswith(("HF_", "IPFS_ACCELERATE_")):
            del os.environ[name]
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([__name__, "huggingface_hub.hf_api", "huggingface_hub.file_download", "filelock"])
    return made


def check_visible(root: Path, files: dict[str, bytes]) -> int:
    """Every file that anybody could load is whole and right; gives how many there are."""
    count = 0
    for folder in root.glob("models--*"):
        for snapshot in folder.glob("snapshots/*"):
            assert layout.is_commit(snapshot.name)
            for path in snapshot.rglob("*"):
                if path.is_dir() or not path.exists():
                    continue  # a link whose blob somebody has deleted shows nothing
                name = path.relative_to(snapshot).as_posix()
                assert path.read_bytes() == files[name], f"{name} is visible and wrong"
                count += 1
        for blob in folder.glob("blobs/*"):
            if not blob.name.endswith(".incomplete"):
                check_blob(blob)
        for ref in (path for path in folder.glob("refs/**/*") if path.is_file()):
            assert layout.is_commit(ref.read_text()), f"{ref} is half written"
        for tree in folder.glob("trees/*"):
            repo_id = folder.name.removeprefix("models--").replace("--", "/")
            assert read_tree(root, repo_id, tree.stem) is not None, f"{tree} is half written"
    if root.exists():
        warnings = map(str, huggingface_hub.scan_cache_dir(root).warnings)
        assert not [warning for warning in warnings if "broken symlink" not in warning]
    return count


def check_blob(blob: Path) -> None:
    content = blob.read_bytes()
    sha1 = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    assert blob.name in (sha1, hashlib.sha256(content).hexdigest()), f"{blob.name} is not what its name says"
