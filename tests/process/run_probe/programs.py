"""Other programs than Python: what comes back from `run PROGRAM` is what comes back from `PROGRAM`."""

from .check import Check

ECHO = '#!/bin/sh\nfor word in "$0" "$@"; do echo "[$word]"; done; exit 4\n'
TEST = "import sys\ndef test_it(): assert True\ndef test_not(): assert sys.argv == 1\n"

CHECKS = {
    "a program on PATH": Check(shell="{run} printf '%s|' a 'b c' -x -- --help"),
    "a program's exit code": Check(shell="{run} sh -c 'exit 6'", code=6),
    "a program's signal": Check(shell="{run} sh -c 'kill -TERM $$'; echo $?"),
    "a program's input": Check(shell="{run} cat -", stdin="through\n"),
    "a program's arguments": Check(shell="{run} ./program -m x '' 'a  b'", files={"program": ECHO}, code=4),
    "a program without #!": Check(
        shell="chmod +x program; {run} ./program x", files={"program": 'echo "$0" "$@"; exit 3'}, code=3
    ),
    "a Python program with #!": Check(
        shell="{run} ./program -a", files={"program": "#!/usr/bin/env python\nimport sys; print(sys.argv, sys.path[0])"}
    ),
    "python as a program": Check(shell="{run} python -c 'import sys; print(sys.argv, sys.flags)' -x"),
    "env as a program": Check(shell="{run} env A=1 sh -c 'echo $A'"),
    "pytest": Check(
        shell=r"{run} python -m pytest -q -p no:cacheprovider test_a.py | sed 's/ in [0-9.]*s//'",
        files={"test_a.py": TEST},
    ),
    "a program's open files": Check(shell="{run} ls -l /proc/self/fd | wc -l"),
    "a program's ignored signals": Check(shell="{run} grep Sig /proc/self/status | grep -v SigQ"),
    "a missing program": Check(shell="{run} no_such_program", code=127, code_only=True),
    "a missing file": Check(shell="{run} ./no_such_file", code=127, code_only=True),
    "a missing interpreter": Check(shell="{run} ./broken", files={"broken": "#!/no/such\n"}, code=None, code_only=True),
    # dash, often /bin/sh, answers 127 here
    "a program without permission": Check(
        shell="PATH=$PWD/bin:$PATH bash -c '{run} locked'", files={"bin/locked": ""}, code=126, code_only=True
    ),
}
