"""What a program starts: processes by multiprocessing, os and subprocess."""

from .check import Check, script

START = """\
import multiprocessing, os, sys
def work(n):
    main = sys.modules['__main__']
    process = multiprocessing.current_process().name.rstrip('0123456789')
    return n * 2, process, sys.argv, __name__, main.__file__, sys.path[0]
if __name__ == '__main__':
    with multiprocessing.get_context('{0}').Pool(2) as pool:
        print(pool.map(work, [1, 2]))
"""
PROCESS = """\
import multiprocessing, sys
class Thing: pass
def work(queue):
    queue.put((Thing.__module__, sys.flags.optimize, sys.warnoptions))
    sys.exit(3)
if __name__ == '__main__':
    context = multiprocessing.get_context('{0}')
    queue = context.SimpleQueue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    print(queue.get())
    process.join()
    print(process.exitcode, multiprocessing.get_start_method(allow_none=True))
"""
FAILS = """\
import multiprocessing
def work(): raise ValueError('in the child')
if __name__ == '__main__':
    process = multiprocessing.get_context('{0}').Process(target=work, name='worker')
    process.start()
    process.join()
    print(process.exitcode)
"""
EXECUTOR = """\
import concurrent.futures as futures
def work(n): return n + 1
if __name__ == '__main__':
    with futures.ProcessPoolExecutor(2) as pool:
        print(list(pool.map(work, range(4))))
"""
FORK = """\
import os
child = os.fork()
if child == 0:
    os.write(1, b'child\\n')
    os._exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
CHILD = {"child.py": "import sys; print(sys.argv, sys.path[0], sys.stdin.read()); sys.exit(3)"}
CALL = "import subprocess, sys; done = subprocess.run([{0}, 'child.py', '-a'], input=b'x'); print(done.returncode)"

CHECKS = {
    **{f"{way} pool": script(START.format(way)) for way in ("spawn", "fork", "forkserver")},
    **{f"{way} process": script(PROCESS.format(way)) for way in ("spawn", "fork", "forkserver")},
    **{
        f"{way} pool of -m": Check(["-m", "a.b"], files={"a/b.py": START.format(way)})
        for way in ("spawn", "forkserver")
    },
    "spawn with options": Check(["-OO", "-Wignore", "s.py"], files={"s.py": PROCESS.format("spawn")}),
    "an error in a spawn process": script(FAILS.format("spawn")),
    "an error in a fork process": script(FAILS.format("fork")),
    "ProcessPoolExecutor": script(EXECUTOR),
    "os.fork": script(FORK),
    "subprocess of sys.executable": script(CALL.format("sys.executable"), files=CHILD),
    "subprocess of python": script(CALL.format("'python'"), files=CHILD),
    "os.system": script("import os; print(os.system('python child.py -a </dev/null') >> 8)", files=CHILD),
    "os.execv": script(
        "import os, sys; os.execv(sys.executable, [sys.executable, 'child.py', '-a'])", files=CHILD, code=3
    ),
    "asyncio subprocess": script(
        "import asyncio, sys\n"
        "async def main():\n"
        "    process = await asyncio.create_subprocess_exec(sys.executable, '-c', 'print(5)')\n"
        "    print(await process.wait())\n"
        "asyncio.run(main())"
    ),
}
