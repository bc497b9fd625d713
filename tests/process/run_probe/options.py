"""Python's options and variables: forwarded, and honoured once."""

from .check import Check
from .interpreter import FLAGS

FILES = {"script.py": FLAGS + "\nassert True, 'asserts'\nprint(__debug__, f.__doc__ if (f := lambda: 0) else 0)"}
BYTES = {"script.py": "print(b'' == '')"}


def options(*words: str, code=0, said=(), files=FILES, stdin="", **environ) -> Check:
    return Check([*words, "script.py"], files=files, stdin=stdin, code=code, said=said, environ=environ)


CHECKS = {
    "-O": options("-O"),
    "-OO": options("-OO"),
    "-B": options("-B"),
    "-u": options("-u"),
    "-u and the order of the streams": Check(
        shell="{python} -u script.py 2>&1",
        files={"script.py": "import sys\nfor n in range(9): print(n, file=(sys.stdout, sys.stderr)[n % 2])"},
    ),
    "-W": options("-W", "error::UserWarning", "-Wignore"),
    "-W error": Check(["-Werror", "script.py"], files={"script.py": "import warnings; warnings.warn('x')"}, code=1),
    "-X dev": options("-X", "dev"),
    "-X utf8": options("-Xutf8"),
    "-X of one's own": options("-X", "mine=1", "-Xother"),
    "-X faulthandler": options("-X", "faulthandler"),
    "-X tracemalloc": options("-X", "tracemalloc=3"),
    "-X int_max_str_digits": options("-X", "int_max_str_digits=700"),
    "-b": options("-b", files=BYTES),
    "-bb": options("-bb", files=BYTES, code=1),
    "-q": options("-q"),
    "-s": options("-s"),
    "-I": options("-I", said=["run"]),
    "-E": options("-E", said=["run"], PYTHONHASHSEED="5"),
    "-S": options("-S", said=["run", "enabled"]),
    "-P": options("-P", code=None),
    "-i": options("-i", stdin="print('asked', __name__)\n"),
    "-i without a script": Check(["-i", "-q"], stdin="print('asked')\n"),
    "-d": options("-d"),
    "-R": options("-R"),
    "joined options": options("-OBuWignore"),
    "--check-hash-based-pycs": options("--check-hash-based-pycs", "always"),
    "options before the module": Check(
        shell="{python} -OBc 'import sys; print(sys.flags, sys.argv)' -O",
    ),
    "PYTHONSTARTUP is kept": options(
        PYTHONSTARTUP="startup.py", files={**FILES, "startup.py": "print('never, for a script')"}
    ),
    "PYTHONSTARTUP with -i": Check(
        ["-i", "-q"], files={"startup.py": "print('started')"}, environ={"PYTHONSTARTUP": "startup.py"}
    ),
    "PYTHONSAFEPATH": Check(
        ["script.py"],
        files={
            "script.py": "import sys; print(sys.path[0].endswith('.zip'), sys.flags)\nimport sibling",
            "sibling.py": "",
        },
        environ={"PYTHONSAFEPATH": "1"},
        code=None,
    ),
    "PYTHONPATH with a sibling": options(
        files={"script.py": "import there", "lib/there.py": "print(__file__)"}, PYTHONPATH="{work}/lib"
    ),
    "PYTHONPATH that is relative": options(
        files={"script.py": "import os, there; os.chdir('/'); print(there.__file__)", "lib/there.py": ""},
        PYTHONPATH="lib",
    ),
    "PYTHONPATH that is empty": options(files={"script.py": "import sys; print('' in sys.path)"}, PYTHONPATH=""),
    "PYTHONOPTIMIZE": options(PYTHONOPTIMIZE="2"),
    "PYTHONDEVMODE": options(PYTHONDEVMODE="1"),
    "PYTHONWARNINGS": options(PYTHONWARNINGS="error"),
    "PYTHONUNBUFFERED": options(PYTHONUNBUFFERED="1"),
    "PYTHONIOENCODING": options(
        PYTHONIOENCODING="latin-1:replace",
        files={"script.py": "import sys; print(sys.stdout.encoding, sys.stdout.errors)"},
    ),
    "PYTHONUTF8": options(PYTHONUTF8="1"),
    "PYTHONNOUSERSITE": options(PYTHONNOUSERSITE="1"),
    "PYTHONINSPECT": options(PYTHONINSPECT="1", stdin="print('asked')\n"),
    "PYTHONPYCACHEPREFIX": options(PYTHONPYCACHEPREFIX="{work}/cache"),
    "PYTHONTRACEMALLOC": options(PYTHONTRACEMALLOC="2"),
    "PYTHONFAULTHANDLER": options(PYTHONFAULTHANDLER="1"),
    "PYTHONMALLOC": options(PYTHONMALLOC="debug"),
}
