"""The interpreter's state when the program begins."""

from .check import Check, script

MODULES = "import sys; print(sorted(name for name in sys.modules if name != '_ipfs_accelerate_boot'))"
FLAGS = "import sys; print(sys.flags, sys.warnoptions, sys._xoptions, sys.dont_write_bytecode, sys.pycache_prefix)"
WHERE = """\
import site, sys, sysconfig
print(sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys._base_executable, sysconfig.get_path('purelib'))
print(site.getsitepackages(), site.ENABLE_USER_SITE, site.USER_SITE, site.PREFIXES)
"""
HOOKS = """\
import builtins, sys, threading
print(sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__)
print(sys.unraisablehook is sys.__unraisablehook__)
print(sys.breakpointhook is sys.__breakpointhook__, threading.excepthook is threading.__excepthook__)
print(sys.gettrace(), sys.getprofile(), threading._trace_hook, threading._profile_hook, sys.path_hooks)
print(builtins.__import__, sorted(vars(builtins)), sys.is_finalizing(), sys.get_asyncgen_hooks())
"""
DEPTH = """\
import inspect, sys
def f(n):
    try: return f(n + 1)
    except RecursionError: return n
print(len(inspect.stack()), sys._getframe().f_back, sys.getrecursionlimit(), f(0))
"""
NUMBERS = """\
import gc, sys, threading
print(gc.get_threshold(), gc.isenabled(), gc.callbacks, sys.getswitchinterval())
print([thread.name for thread in threading.enumerate()])
"""
IMPORTS = """\
import sys
print([f if isinstance(f, type) else type(f).__name__ for f in sys.meta_path if type(f).__name__ != 'BootFinder'])
"""
WARNINGS = "import sys, warnings; print(warnings.filters)"
EVENTS = """\
import sys
seen = []
sys.addaudithook(lambda name, args: seen.append(name))
import string
print([name for name in seen if name.startswith(('socket', 'subprocess', 'os.'))])
"""
TRACE = """\
import sys
lines = []
def trace(frame, event, arg):
    lines.append((event, frame.f_lineno)) if frame.f_code.co_filename == __file__ else None
    return trace
sys.settrace(trace)
def f(): return 1
f()
sys.settrace(None)
print(lines)
"""

CHECKS = {
    "sys.modules": script(MODULES),
    "sys.modules of -c": Check(["-c", MODULES]),
    "sys.modules of -m": Check(["-m", "part"], files={"part.py": MODULES}),
    "sys.flags": script(FLAGS),
    "executable and prefix": script(WHERE),
    "executable and prefix of python by its name": Check(shell="{name} script.py", files={"script.py": WHERE}),
    "executable and prefix of a relative python": Check(
        shell='cd "$(dirname "$(command -v python)")"; ./{name} "$OLDPWD/script.py"', files={"script.py": WHERE}
    ),
    "excepthook, trace, profile and the other hooks": script(HOOKS),
    "stack depth": script(DEPTH),
    "stack depth of -m": Check(["-m", "part"], files={"part.py": DEPTH}),
    "threads, garbage collection and intervals": script(NUMBERS),
    "finders": script(IMPORTS),
    "warning filters": script(WARNINGS),
    "warning filters of -W": Check(
        ["-Werror", "-Wignore::DeprecationWarning", "script.py"], files={"script.py": WARNINGS}
    ),
    "an excepthook of one's own": script(
        "import sys\nsys.excepthook = lambda *a: print(a[0], a[2].tb_lineno, a[2].tb_next)\n1 / 0", code=1
    ),
    "a trace function": script(TRACE),
    "an audit hook": script(EVENTS),
    "cProfile": Check(["-m", "cProfile", "-o", "out", "script.py"], files={"script.py": "import sys; print(sys.argv)"}),
    "trace": Check(["-m", "trace", "--count", "-C", "out", "script.py"], files={"script.py": "print(1)"}, code=None),
    "pdb": Check(["-m", "pdb", "script.py"], files={"script.py": "x = 1\nprint(x)"}, stdin="n\np x\nq\n", code=None),
    "unittest": Check(["-m", "unittest", "-q", "no_such_test"], files={"test_a.py": ""}, code=None, code_only=True),
    "hash of a text": script("print(hash('text'))", environ={"PYTHONHASHSEED": "7"}),
}
