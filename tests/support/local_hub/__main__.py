"""python -m tests.support.local_hub --root MODELS"""

import argparse
import contextlib
import time

from .server import LocalHub


def main(argv=None):
    p = argparse.ArgumentParser(prog="localhub", description="A Hugging Face Hub on loopback, for tests.")
    p.add_argument("--root", required=True, help="folder of <org>/<name>/ model folders")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--token", action="append", default=[], metavar="TOKEN=USER")
    p.add_argument("--cdn", choices=["other", "same", "none"], default="other", help="where LFS files are redirected")
    p.add_argument(
        "--resolve-cache", action="store_true", help="307 small files to /api/resolve-cache, as the real Hub does"
    )
    p.add_argument("--xet", action="store_true", help="offer LFS files by Xet (download side), as the real Hub does")
    p.add_argument("--lfs-threshold", type=int, default=10 << 20)
    p.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    p.add_argument("--bandwidth", type=int, default=0, help="bytes/s per connection")
    p.add_argument("--log", help="append the request log here, JSON lines")
    a = p.parse_args(argv)
    hub = LocalHub(
        a.root,
        a.port,
        dict(t.split("=", 1) for t in a.token) or None,
        a.lfs_threshold,
        a.cdn,
        a.resolve_cache,
        a.latency,
        a.bandwidth,
        log_path=a.log,
        host=a.host,
        xet=a.xet,
    ).start()
    print(f"HF_ENDPOINT={hub.endpoint}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    hub.stop()


if __name__ == "__main__":
    main()
