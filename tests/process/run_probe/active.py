"""Where the hook must be active: programs and their children import transformers and say whether our finder is there.

The environments have a small package of that name, so that this costs milliseconds.
"""

from .check import Check, script

SAY = "import sys, transformers; print('TransformersFinder' in [type(each).__name__ for each in sys.meta_path])"
# The start of `run` itself executes it too, before the program's.
NOTE = SAY.replace("print(", "sys.noted = (")
WORK = f"""\
import multiprocessing
def work(*_):
    {SAY.replace("print", "return ")}
"""
POOL = f"""\
{WORK}
if __name__ == '__main__':
    with multiprocessing.get_context('{{0}}').Pool(2) as pool:
        print(*pool.map(work, [1, 2]), sep='\\n')
"""
PROCESS = f"""\
import multiprocessing
def work():
    {SAY}
if __name__ == '__main__':
    process = multiprocessing.get_context('{{0}}').Process(target=work)
    process.start()
    process.join()
"""
EXECUTOR = f"""\
{WORK}
import concurrent.futures
if __name__ == '__main__':
    with concurrent.futures.{{0}}(2) as pool:
        print(*pool.map(work, range(3)), sep='\\n')
"""
FORK = f"""\
import os
child = os.fork()
if child == 0:
    {SAY}
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
"""
DAEMON = f"""\
import os, sys
end, start = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {SAY}
        sys.stdout.flush()
        os.close(start)
    os._exit(0)
os.close(start)
os.read(end, 1)
"""
GRANDCHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SAY!r}])"
ASYNC = f"""\
import asyncio, sys
async def main():
    process = await asyncio.create_subprocess_exec(sys.executable, '-c', {SAY!r})
    await process.wait()
asyncio.run(main())
"""
CHILD = {"child.py": SAY}
THEIRS = {"PYTHONPATH": "{work}/lib"}


def call(words: str, **options) -> Check:
    """A script that starts `words` and waits."""
    return script(f"import os, subprocess, sys\nsubprocess.run({words})", files=CHILD, **options)


CHECKS = {
    "script": script(SAY),
    "script without suffix": Check(["tool"], files={"tool": SAY}),
    "symlinked script": Check(["link.py"], files={"a/script.py": SAY, "link.py": "->a/script.py"}),
    "script with options": Check(["-OO", "-B", "-Wignore", "-X", "dev", "script.py"], files={"script.py": SAY}),
    "script with -s": Check(["-s", "script.py"], files={"script.py": SAY}),
    "-m module": Check(["-m", "part"], files={"part.py": SAY}),
    "-m package": Check(["-m", "package"], files={"package/__main__.py": SAY}),
    "-c": Check(["-c", SAY]),
    "stdin": Check(["-"], stdin=SAY),
    "folder": Check(["folder"], files={"folder/__main__.py": SAY}),
    "zip application": Check(["app.zip"], files={"app.zip": SAY}),
    "executable zip application": Check(["./tool.app"], files={"tool.app": SAY}),
    "interactive": Check(["-i", "-q"], stdin=SAY),
    "PYTHONSAFEPATH": Check(["-c", SAY], environ={"PYTHONSAFEPATH": "1"}),
    "PYTHONPATH of one's own": Check(["-c", SAY], environ=THEIRS),
    "sitecustomize of one's own": Check(["-c", SAY], environ=THEIRS, files={"lib/sitecustomize.py": ""}),
    "inside a sitecustomize": Check(
        ["-c", "import sys; print(sys.noted)"], environ=THEIRS, files={"lib/sitecustomize.py": NOTE}
    ),
    "inside a usercustomize": Check(
        ["-c", "import sys; print(sys.noted)"], environ=THEIRS, files={"lib/usercustomize.py": NOTE}, user_site=True
    ),
    "a thread": script(f"import threading\ndef f():\n    {SAY}\nthreading.Thread(target=f).start()"),
    "cProfile": Check(["-m", "cProfile", "-o", "out", "script.py"], files={"script.py": SAY}),
    "runpy": script("import runpy; runpy.run_path('child.py')", files=CHILD),
    "exec": script(f"exec({SAY!r})"),
    **{f"{way} process": script(PROCESS.format(way)) for way in ("spawn", "fork", "forkserver")},
    **{f"{way} pool": script(POOL.format(way)) for way in ("spawn", "fork", "forkserver")},
    "spawn pool of -m": Check(["-m", "a.b"], files={"a/b.py": POOL.format("spawn")}),
    "ProcessPoolExecutor": script(EXECUTOR.format("ProcessPoolExecutor")),
    "ThreadPoolExecutor": script(EXECUTOR.format("ThreadPoolExecutor")),
    "os.fork": script(FORK),
    "a daemon": script(DAEMON),
    "subprocess of sys.executable": call("[sys.executable, 'child.py']"),
    "subprocess of python": call("['python', 'child.py']"),
    "subprocess in another folder": call("[sys.executable, os.path.abspath('child.py')], cwd='/'"),
    "subprocess of a shell": call("'python child.py', shell=True"),
    "subprocess with a copy of the environment": call("[sys.executable, 'child.py'], env={**os.environ, 'A': '1'}"),
    "os.system": script("import os; os.system('python child.py')", files=CHILD),
    "os.execv": script("import os, sys; os.execv(sys.executable, ['python', 'child.py'])", files=CHILD),
    "os.posix_spawn": script(
        "import os, sys\npid = os.posix_spawn(sys.executable, ['python', 'child.py'], os.environ)\nos.waitpid(pid, 0)",
        files=CHILD,
    ),
    "asyncio subprocess": script(ASYNC),
    "grandchild": script("import subprocess; subprocess.run(['python', 'child.py'])", files={"child.py": GRANDCHILD}),
    "child of a spawn process": script(PROCESS.format("spawn").replace(SAY, GRANDCHILD)),
    "a shell's child": Check(shell="{run} sh -c 'python child.py'", files=CHILD),
    "env's child": Check(shell="{run} env python child.py", files=CHILD),
    "a program with #!": Check(shell="{run} ./program", files={"program": f"#!/usr/bin/env python\n{SAY}"}),
    "python as a program": Check(shell="{run} python child.py", files=CHILD),
    "run inside run": Check(shell="{run} {python} child.py", files=CHILD),
    "pytest": Check(
        shell="{run} python -m pytest -q -s -p no:cacheprovider test_a.py | grep -x -e True -e False",
        files={"test_a.py": f"def test_it():\n    {SAY}"},
    ),
    "unittest": Check(
        ["-m", "unittest", "-q", "test_a"],
        files={"test_a.py": f"import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        {SAY}"},
    ),
}

# What Python does not allow: the ways in which the hook is active all the same. docs/limits.md has these.
LIMITS = {
    "-I": (Check(["-I", "-c", SAY]), ["enabled"]),
    "-E": (Check(["-E", "-c", SAY]), ["enabled"]),
    "-S": (Check(["-S", "child.py"], files={"child.py": SAY, "transformers.py": ""}), []),
    "child with -I": (call("[sys.executable, '-I', 'child.py']"), ["enabled"]),
    "child with -E": (call("[sys.executable, '-E', 'child.py']"), ["enabled"]),
    "child with an empty environment": (call("[sys.executable, 'child.py'], env={}"), ["enabled"]),
    "child without PYTHONPATH": (call("['env', '-u', 'PYTHONPATH', sys.executable, 'child.py']"), ["enabled"]),
    "child with another PYTHONPATH": (
        call("[sys.executable, 'child.py'], env={**os.environ, 'PYTHONPATH': '/'}"),
        ["enabled"],
    ),
    "child in another environment": (call("[os.environ['OTHER'], 'child.py']", environ={"OTHER": "{other}"}), ["run"]),
    "sys.meta_path emptied": (
        script("import sys\nsys.meta_path[:] = [f for f in sys.meta_path if isinstance(f, type)]\n" + SAY),
        [],
    ),
}
