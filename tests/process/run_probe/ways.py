"""The ways to start a program, each in an environment of its own, and what they answer."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

import wrapt

from ..conftest import SRC, Environment
from .check import Check

SITE = str(SRC / "ipfs_accelerate_py" / "startup" / "site")
RUN = ["-m", "ipfs_accelerate_py.hook", "run"]
# plain: python; run: hook run by PYTHONPATH; enabled: hook run where a startup file is enabled.
# Names of one length, so that messages are broken at the same place.
FOLDERS = {"plain": "env-a", "run": "env-b", "enabled": "env-c"}


@dataclass(frozen=True)
class Answer:
    """What can be seen of a program from outside."""

    code: int
    stdout: str
    stderr: str


class Ways:
    """Makes an environment per way; `answer` runs a check's command there."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self.environ = environ
        self._made: dict[tuple[str, bool], Environment] = {}
        # The children write no bytecode, and in a fresh clone there is none: each of some 800 would compile anew.
        subprocess.run([sys.executable, "-m", "compileall", "-q", SRC], check=False)

    def environment(self, way: str, user_site: bool = False) -> Environment:
        key = (way, user_site)
        if key not in self._made:
            folder = self.folder / ("user" if user_site else "own") / FOLDERS[way]
            self._made[key] = made = Environment(folder, self.environ)
            if user_site:
                config = folder / "pyvenv.cfg"
                config.write_text(config.read_text().replace("= false", "= true"))
            (made.site / "zz_editable.pth").write_text(f"{SRC}\n")
            (made.site / "zz_others.pth").write_text(f"{Path(wrapt.__file__).parents[1]}\n")
            library = made.site / "transformers"
            library.mkdir()
            (library / "__init__.py").write_text("name = 'a small one'\n")
            if way == "enabled":
                done = made.hook("enable")
                assert done.returncode == 0, done.stderr
        return self._made[key]

    def answer(self, way: str, check: Check) -> Answer:
        """Runs it in a fresh working folder of the same name each time."""
        environment = self.environment(way, check.user_site)
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        write_files(work, check.files)
        bin_folder = Path(environment.python).parent
        given = {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
        given |= {name: value.replace("{work}", str(work)) for name, value in check.environ.items()}
        start = [environment.python, *([] if way == "plain" else RUN)]
        if check.shell:
            python = " ".join(start)
            line = check.shell.replace("{python}", python).replace("{run}", "" if way == "plain" else python)
            line = line.replace("{name}", " ".join(["python", *start[1:]]))
            command = ["/bin/sh", "-c", line]
        else:
            command = [*start, *check.words]
        process = subprocess.Popen(
            command,
            cwd=work,
            env={**environment.environ, **given},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_receive_signals,
        )
        stdout, stderr = _converse(process, check)
        return Answer(process.returncode, *(self._plain_text(text, way, process.pid) for text in (stdout, stderr)))

    def _plain_text(self, text: bytes, way: str, pid: int) -> str:
        shown = text.decode(errors="backslashreplace").replace(f"/{FOLDERS[way]}", f"/{FOLDERS['plain']}")
        shown = re.sub(r"\b0x[0-9a-f]{6,}\b", "0x", shown)
        return shown.replace(f"pid {pid}\n", "pid of the process that was started\n")


def _receive_signals() -> None:
    """As in a terminal: a shell's background job, as a whole test run can be, ignores SIGINT, and nohup's SIGHUP."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _converse(process: subprocess.Popen, check: Check) -> tuple[bytes, bytes]:
    ended = threading.Timer(60, process.kill)
    ended.start()
    try:
        first = b""
        if check.signal is not None:
            first = process.stdout.readline()
            process.send_signal(check.signal)
        stdout, stderr = process.communicate(check.stdin.encode())
        return first + stdout, stderr
    finally:
        ended.cancel()
        process.kill()


def write_files(work: Path, files) -> None:
    """Lays out the files; a name that ends in .zip or .app is an archive with the text as its __main__.py."""
    work.mkdir(parents=True)
    for name, text in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith((".zip", ".app")):
            with zipfile.ZipFile(path, "w") as archive:
                # always the same bytes
                archive.writestr(zipfile.ZipInfo("__main__.py"), text)
            if name.endswith(".app"):
                path.write_bytes(f"#!{sys.executable}\n".encode() + path.read_bytes())
                path.chmod(0o755)
        elif text.startswith("->") if isinstance(text, str) else False:
            path.symlink_to(text[2:])
        else:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            if text[:2] in ("#!", b"#!"):
                path.chmod(0o755)
