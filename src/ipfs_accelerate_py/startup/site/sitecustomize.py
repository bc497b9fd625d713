"""First on PYTHONPATH under `hook run`: starts the hook, then runs the sitecustomize that comes next.

Whatever that file raises goes on to `site`, which reports it as ever; without such a file, the ImportError is what
`site` expects and ignores. What the interpreter that became this one has reported, also of the usercustomize that
comes after this, is not reported again.
"""

import os
import sys

_folder = os.path.dirname(os.path.abspath(__file__))
_root = os.path.dirname(os.path.dirname(os.path.dirname(_folder)))


def _import_boot() -> None:
    try:
        __import__("_ipfs_accelerate_boot")
    except ImportError:
        sys.path.append(_root)
        try:
            __import__("_ipfs_accelerate_boot")
        finally:
            sys.path.pop()


def _package_is_found() -> bool:
    for finder in sys.meta_path:
        find_spec = getattr(finder, "find_spec", None)
        if find_spec is not None and find_spec("ipfs_accelerate_py", None, None) is not None:
            return True
    return False


try:
    _import_boot()
    # A source folder holds this package only; another interpreter's site-packages would bring all the rest.
    if not _package_is_found() and os.path.basename(_root) not in ("site-packages", "dist-packages"):
        sys.path.append(_root)
except Exception:
    pass

for _entry in [entry for entry in sys.path if os.path.normpath(entry) == _folder]:
    if getattr(sys.flags, "safe_path", False):
        sys.path.remove(_entry)  # no script folder will go first, and this folder must not be sys.path[0]
    else:
        sys.path_importer_cache[_entry] = None  # PathFinder passes over it from now on


def _import_usercustomize() -> None:
    import contextlib
    import site

    site.execusercustomize = _original
    with contextlib.suppress(Exception):
        import usercustomize  # type: ignore[import-not-found]  # noqa: F401


_reported = os.environ.pop("IPFS_ACCELERATE_REPORTED", "").split(",")
if "usercustomize" in _reported and hasattr(sys.modules.get("site"), "execusercustomize"):
    _original = sys.modules["site"].execusercustomize
    sys.modules["site"].execusercustomize = _import_usercustomize  # type: ignore[attr-defined]
del sys.modules[__name__]
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
except Exception:
    if "sitecustomize" not in _reported:
        raise
    raise ImportError(name="sitecustomize") from None
