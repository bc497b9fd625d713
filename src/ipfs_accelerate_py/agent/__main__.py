"""`python -m ipfs_accelerate_py.agent STORE` runs the agent of a store. For people there is `fleet start`."""

from __future__ import annotations

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
