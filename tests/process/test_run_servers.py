"""Programs that start Pythons of their own under `hook run`: gunicorn, torchrun, and transformers itself."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
import wrapt

from .conftest import make_clean_environment
from .run_probe.active import SAY
from .run_probe.check import Check
from .run_probe.ways import RUN, Ways

OTHERS = Path(wrapt.__file__).parents[1]
APP = f"""\
import os, sys
{SAY.replace("print(", "ACTIVE = (")}
def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{{ACTIVE}} {{os.getppid()}} {{environ['PATH_INFO']}} {{sys.path[0] == os.getcwd()}}".encode()]
"""
WORKER = f"""\
import os, sys
{SAY.replace("print(", "ACTIVE = (")}
line = f"{{os.environ['RANK']}} {{os.environ['WORLD_SIZE']}} {{sys.argv}} {{__name__}} active={{ACTIVE}}\\n"
os.write(1, line.encode())  # in one piece: both workers write to one pipe
"""
REAL = """\
import multiprocessing, sys
def work(_=None):
    from transformers import AutoConfig, BertConfig
    active = hasattr(AutoConfig, "__wrapped__")  # what docs/limits.md says of a proxy
    return active, AutoConfig.for_model("bert", hidden_size=32).hidden_size, AutoConfig.__name__
if __name__ == "__main__":
    print(work(), sys.argv)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, [0]))
"""


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ways")
    return Ways(folder, make_clean_environment(folder))


def write_console_script(environment, name, function):
    """What an installer makes of an entry point."""
    module, _, function = function.partition(":")
    path = Path(environment.python).parent / name
    path.write_text(f"#!{environment.python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    path.chmod(0o755)


class Client(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


def ask(path: Path) -> str:
    for _ in range(600):
        try:
            with closing(Client(str(path), timeout=30)) as client:
                client.request("GET", "/x", headers={"Host": "here"})
                return client.getresponse().read().decode()
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.05)
    raise AssertionError("no answer")


def serve(ways, way, folder):
    """Two workers before the fork, one request, SIGTERM: the answer, the exit code and the log."""
    environment = ways.environment(way)
    write_console_script(environment, "gunicorn", "gunicorn.app.wsgiapp:run")
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    program = str(Path(environment.python).parent / "gunicorn")
    words = [program, "app:app", "--workers", "2", "--bind", "unix:socket", "--no-control-socket"]
    process = subprocess.Popen(
        words if way == "plain" else [environment.python, *RUN, *words],
        cwd=folder,
        env=environment.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        answer = ask(folder / "socket").replace(str(process.pid), "MASTER")
        process.terminate()
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    log = sorted(re.sub(r"\[.*?\]|pid:? ?\d+|\d+", "", line) for line in stderr.splitlines())
    return answer, process.returncode, stdout, log


def test_gunicorn(ways, tmp_path):
    answer, *plain = serve(ways, "plain", tmp_path / "plain")
    assert answer == "False MASTER /x True"
    for way in ("run", "enabled"):
        answer, *rest = serve(ways, way, tmp_path / way)
        assert answer == "True MASTER /x True" and rest == plain


def test_torchrun(ways):
    words = "torchrun --nproc-per-node 2 --rdzv-backend c10d --rdzv-endpoint 127.0.0.1:0 script.py -a 'b c'"
    check = Check(shell="{run} " + words, files={"script.py": WORKER}, environ={"OMP_NUM_THREADS": "1"})
    for way in ("plain", "run"):
        write_console_script(ways.environment(way), "torchrun", "torch.distributed.run:main")
        answer = ways.answer(way, check)
        assert answer.code == 0, answer.stderr
        assert sorted(answer.stdout.splitlines()) == [
            f"{rank} 2 ['script.py', '-a', 'b c'] __main__ active={way == 'run'}" for rank in (0, 1)
        ]


@pytest.mark.lines
def test_real_transformers(environment):
    """In a script and in its spawn children, by PYTHONPATH."""
    (environment.site / "zz_others.pth").write_text(f"{OTHERS}\n")
    script = environment.folder / "script.py"
    script.write_text(REAL)
    done = environment.hook("run", script, "-a")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"(True, 32, 'AutoConfig') ['{script}', '-a']\n[(True, 32, 'AutoConfig')]\n"


def test_real_transformers_where_a_startup_file_is_enabled(environment):
    (environment.site / "zz_others.pth").write_text(f"{OTHERS}\n")
    environment.hook("enable")
    code = "import transformers; print(hasattr(transformers.AutoConfig, '__wrapped__'))"
    assert environment.run("-I", "-c", code).stdout == "True\n"
    off = {**environment.environ, "IPFS_ACCELERATE": "0"}
    assert environment.run("-c", code, env=off).stdout == "False\n"
