"""A real S3 server on loopback: versitygw (https://github.com/versity/versitygw), which `make s3` builds with Go.

    with S3Server(tmp_path / "s3") as server:
        server.make_bucket("models")
        fsspec.filesystem("s3", **server.storage_options).put(...)

It keeps each object as a file below `<folder>/buckets/<bucket>`, so that a test may also lay files there.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from .ipfs_node import RUN_UNTIL_STDIN_ENDS, free_port

BUILT = Path(__file__).resolve().parents[2] / ".tools" / "versitygw"


class S3Server:
    """One server process with a folder and a key of its own; it ends with the test run, even a killed one."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.buckets = self.folder / "buckets"
        self.port = free_port()
        self.access_key, self.secret_key = "test", secrets.token_hex(16)
        self.process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def binary() -> str | None:
        return str(BUILT) if BUILT.exists() else shutil.which("versitygw")

    @classmethod
    def missing(cls) -> str:
        """Empty if it can be started here, else what to do."""
        return "" if cls.binary() else "no S3 server: install Go, then `make s3`"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find the server and to be let in, by the variables that every S3 client reads."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def storage_options(self) -> dict[str, object]:
        """The same as s3fs takes it."""
        return {"endpoint_url": self.endpoint, "key": self.access_key, "secret": self.secret_key}

    def start(self) -> S3Server:
        """Returns when it answers."""
        binary = self.binary()
        if binary is None:
            raise RuntimeError(self.missing())
        self.buckets.mkdir(parents=True, exist_ok=True)
        (self.folder / "metadata").mkdir(exist_ok=True)
        # a sidecar folder instead of extended attributes: tmpfs has none
        words = ["--port", f"127.0.0.1:{self.port}", "--quiet", "posix", "--sidecar", str(self.folder / "metadata")]
        keys = {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", RUN_UNTIL_STDIN_ENDS, "s3-server", binary, *words, str(self.buckets)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **keys},
                start_new_session=True,
            )
        deadline = time.monotonic() + 20
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the S3 server did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def _answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(self.endpoint, timeout=1).close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 403  # it knows S3, and does not know us
        except OSError:
            pass
        return False

    def make_bucket(self, name: str) -> None:
        """A bucket is a folder to this server."""
        (self.buckets / name).mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)

    def __enter__(self) -> S3Server:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
