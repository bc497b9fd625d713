"""Which layout a store has: a store that a newer version of ours has made is left alone.

`.locks/ipfs_accelerate/layout` holds the number; a store without that file has layout 1.
"""

from __future__ import annotations

from ..errors import StoreError
from .layout import Own
from .store import Store

LAYOUT = 1


def check(store: Store) -> None:
    """StoreError if the store's layout is newer than this version knows, or cannot be read."""
    path = store.own_folder / Own.VERSION
    try:
        text = path.read_text("ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise StoreError(
            f"the store {store.root} cannot be read: {error.strerror}",
            "make the folder readable, or name another one in IPFS_ACCELERATE_HOME",
        ) from None
    except ValueError:
        text = "?"
    if text not in map(str, range(1, LAYOUT + 1)):
        raise StoreError(
            f"the store {store.root} has layout {text[:20]!r}, and this version of ipfs_accelerate_py knows layout "
            f"{LAYOUT} only",
            "upgrade ipfs_accelerate_py, or name another store in IPFS_ACCELERATE_HOME",
        )
