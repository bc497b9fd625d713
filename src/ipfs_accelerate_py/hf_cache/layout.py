"""Writing into a Hugging Face cache as huggingface_hub does: the same names, and nothing visible half written."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from ..store.tree import FORMAT_VERSION, Tree


def link_blob(ours: Path, theirs: Path, replace: bool) -> bool:
    """Give our blob a name in the cache; False if another process was quicker. What it replaces is never written to."""
    try:
        os.link(ours, theirs)
    except FileExistsError:
        if os.path.exists(theirs) and not replace:
            return False
        # A link that leads nowhere, or a file that was to be fetched anew. It may be a link to a blob that repos share.
        temporary = theirs.with_name(f"{theirs.name}.{os.urandom(4).hex()}.incomplete")
        os.link(ours, temporary)
        try:
            os.replace(temporary, theirs)
        finally:
            with contextlib.suppress(OSError):  # rename(2) does nothing if both names are links to one file already
                os.unlink(temporary)
    return True


def show(blob: Path, ours: Path, pointer: Path) -> bool:
    """Let a file of a snapshot point to a blob; False where there are no symlinks, and it is our own blob's name."""
    with contextlib.suppress(OSError):
        os.remove(pointer)  # a link that leads nowhere, as huggingface_hub does
    with folder_of(pointer):
        try:
            if _without_symlinks():
                raise OSError
            os.symlink(os.path.relpath(blob, pointer.parent), pointer)
        except FileExistsError:  # another process was quicker
            pass
        except OSError:
            os.link(ours, pointer)
            return False
    return True


@contextlib.contextmanager
def folder_of(file: Path) -> Iterator[None]:
    """The folder of a file that is to be made. If that cannot be, what had to be made for it goes again."""
    made = [each for each in file.parents if not each.exists()]
    try:
        os.makedirs(file.parent, exist_ok=True)
        yield
    except OSError:
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


def write(path: Path, data: bytes) -> None:
    """A small file, with its folder. Raises OSError."""
    with folder_of(path):
        replace_small(path, data)


def replace_small(path: Path, data: bytes) -> None:
    """In one step and, as huggingface_hub does it, without waiting for the disk."""
    temporary = path.with_name(f"{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def listing(tree: Tree) -> bytes:
    """In huggingface_hub's own form: without what we add."""
    files = tree.format_rows("{\n   ", ",\n   ", "\n  }", indent="  ")
    return f'{{\n "format_version": {FORMAT_VERSION},\n "files": {{\n{files}\n }}\n}}'.encode()


@functools.lru_cache(maxsize=1)
def keeps_listings() -> bool:
    """Return whether the installed huggingface_hub keeps the listings of commits."""
    try:
        import huggingface_hub._tree_cache  # noqa: F401
    except ImportError:
        return False
    return True


def tag(cache: Path) -> None:
    """Lets backup programs pass over the cache, where huggingface_hub does so (https://bford.info/cachedir/)."""
    with contextlib.suppress(ImportError):
        from huggingface_hub._local_folder import _create_cachedir_tag

        _create_cachedir_tag(cache)


def _without_symlinks() -> bool:
    from huggingface_hub import constants

    return bool(getattr(constants, "HF_HUB_DISABLE_SYMLINKS", False))
