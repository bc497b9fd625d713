"""How programs end: codes, tracebacks, and what runs last."""

from .check import Check, script

THREAD = """\
import threading, time
def work():
    time.sleep(0.05)
    print('the thread is done')
threading.Thread(target=work).start()
print('main is done')
"""
LAST = """\
import atexit, sys, threading, time, weakref
class Thing:
    def __del__(self): print('deleted', sys.is_finalizing())
thing, other = Thing(), Thing()
other.self = other
weakref.finalize(thing, print, 'finalized')
atexit.register(print, 'first'); atexit.register(print, 'second')
threading.Thread(target=lambda: (time.sleep(0.02), print('thread'))).start()
"""
CHAINED = "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('x') from error"
DEEP = "def f(n):\n    return f(n + 1)\nf(0)"

CHECKS = {
    "end": script("print('done')"),
    "sys.exit(7)": script("import sys; sys.exit(7)", code=7),
    "sys.exit('msg')": script("import sys; sys.exit('the message')", code=1),
    "sys.exit(None)": script("import sys; sys.exit(None)"),
    "raise SystemExit": script("raise SystemExit"),
    "a signal of its own": script("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", code=-15),
    "sys.exit(a tuple)": script("import sys; sys.exit((1, 2))", code=1),
    "sys.exit(-1)": script("import sys; sys.exit(-1)", code=255),
    "os._exit": script("import os; print('never flushed', end=''); os._exit(9)", code=9),
    "os.abort": script("import os; os.abort()", code=-6),
    "an error": script("def f():\n    raise ValueError('text')\nf()", code=1),
    "an error in a module": script("import part", files={"part.py": "def f():\n    1 / 0\nf()"}, code=1),
    "an error in -c": Check(["-c", "1 / 0"], code=1),
    "an error in -m": Check(["-m", "part"], files={"part.py": "1 / 0"}, code=1),
    "an error in stdin": Check(["-"], stdin="1 / 0", code=1),
    "an error in a zip application": Check(["app.zip"], files={"app.zip": "1 / 0"}, code=1),
    "an error in a folder": Check(["folder"], files={"folder/__main__.py": "1 / 0"}, code=1),
    "a chained error": script(CHAINED, code=1),
    "an error that is too deep": script(DEEP, code=1),
    "SyntaxError of a script": script("def f(:\n", code=1),
    "SyntaxError of -c": Check(["-c", "print('x"], code=1),
    "SyntaxError of a module": script("import part", files={"part.py": "x = = 1"}, code=1),
    "IndentationError": script("if True:\nx = 1", code=1),
    "bytes that are no text": Check(["bad.py"], files={"bad.py": b"x = '\xff'\n"}, code=1),
    "a null byte": Check(["bad.py"], files={"bad.py": b"x = 1\0\n"}, code=None),
    "a missing script": Check(["missing.py"], code=2),
    "a missing script, of python by its name": Check(shell="{name} missing.py", code=2),
    "a missing script with a path": Check(["./no/such/missing.py"], code=2),
    "-m missing": Check(["-m", "no_such_module"], code=1),
    "-m package.missing": Check(["-m", "package.missing"], files={"package/__init__.py": ""}, code=1),
    "-m package without __main__": Check(["-m", "package"], files={"package/__init__.py": ""}, code=1),
    "a folder without __main__": Check(["folder/"], files={"folder/other.py": ""}, code=1),
    "a missing module": script("import no_such_module", code=1),
    "an error at exit": script("import atexit, operator; atexit.register(operator.truediv, 1, 0)"),
    "an error in __del__": script("class T:\n    def __del__(self): 1 / 0\nT()\nprint('on')"),
    "an error in a thread": script(
        "import threading; t = threading.Thread(target=lambda: 1 / 0, name='t'); t.start(); t.join()"
    ),
    "a warning": script("import warnings; warnings.warn('careful')"),
    "KeyboardInterrupt": script("raise KeyboardInterrupt", code=-2),
    "threads are awaited": script(THREAD),
    "daemon threads are not": script(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
    ),
    "atexit and finalisation": script(LAST),
    "a closed pipe": Check(shell="{python} -c \"for i in range(99999): print('y')\" | head -1; echo $?"),
    "output to a closed stdout": Check(
        shell="{python} script.py >&-", files={"script.py": "import sys; print(sys.stdout)"}
    ),
}
