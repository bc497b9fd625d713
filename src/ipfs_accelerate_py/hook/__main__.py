"""`python -m ipfs_accelerate_py.hook`."""

import os
import sys

try:
    _current = os.getcwd()
except OSError:
    _current = ""  # it is gone; Python puts nothing first then
# `python -m` puts the current folder first. A file of the user's there, say logging.py, must not be loaded.
if sys.path and not getattr(sys.flags, "safe_path", False) and sys.path[0] in ("", _current):
    del sys.path[0]

from ..cli.main import main

if __name__ == "__main__":
    sys.exit(main())
