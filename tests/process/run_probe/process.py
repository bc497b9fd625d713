"""The process: its id, signals, open files, streams, limits and environment."""

import signal

from .check import Check, script

# Blocked until it has come, so that the traceback always has the same line.
WAIT = """\
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
print('ready', flush=True)
while not signal.sigpending():
    time.sleep(0.01)
signal.pthread_sigmask(signal.SIG_SETMASK, set())
time.sleep(30)
"""
HANDLE = """\
import signal, sys, time
def handle(number, frame):
    print('got', signal.Signals(number).name)
    sys.exit(5)
signal.signal({0}, handle)
print('ready', flush=True)
time.sleep(30)
"""
DISPOSITIONS = """\
import signal
for number in sorted(signal.valid_signals()):
    print(int(number), signal.getsignal(number))
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))
"""
STATUS = """\
for line in open('/proc/self/status'):
    if line.startswith(('SigPnd', 'ShdPnd', 'SigBlk', 'SigIgn', 'SigCgt', 'Umask', 'Threads', 'NoNewPrivs')):
        print(line, end='')
"""
ENVIRON = "import os; print({name: value for name, value in os.environ.items() if name != 'PYTHONPATH'})"
STREAMS = """\
import sys
for each in (sys.stdin, sys.stdout, sys.stderr):
    print(each.name, each.mode, each.encoding, each.errors, each.line_buffering, each.write_through, each.fileno())
"""
UTF8 = (
    "import locale, sys; print(sys.flags.utf8_mode, locale.getpreferredencoding(), open(0, closefd=False).encoding)\n"
)
TERMINAL = """\
import os, sys
print(*[each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)], os.get_terminal_size())
print(os.tcgetpgrp(0) == os.getpgrp(), os.getsid(0) == os.getpid(), sys.stdout.line_buffering)
"""
FILES = """\
import os
for number in os.listdir('/proc/self/fd'):
    try: print(number, os.get_inheritable(int(number)), os.get_blocking(int(number)))
    except OSError: pass  # that of listdir itself
"""

CHECKS = {
    "same process": script("import os; print('pid', os.getpid())"),
    "same parent": script("import os; print(os.getppid())"),
    "same group and session": script("import os; print(os.getpgid(0) == os.getpgid(os.getppid()), os.getsid(0))"),
    "SIGINT ends it": script(WAIT, signal=signal.SIGINT, code=-signal.SIGINT),
    "SIGTERM ends it": script(WAIT, signal=signal.SIGTERM, code=-signal.SIGTERM),
    "SIGHUP ends it": script(WAIT, signal=signal.SIGHUP, code=-signal.SIGHUP),
    "SIGINT is handled": script(HANDLE.format("signal.SIGINT"), signal=signal.SIGINT, code=5),
    "SIGTERM is handled": script(HANDLE.format("signal.SIGTERM"), signal=signal.SIGTERM, code=5),
    "SIGUSR1 is handled": script(HANDLE.format("signal.SIGUSR1"), signal=signal.SIGUSR1, code=5),
    "signal dispositions": script(DISPOSITIONS),
    "signal dispositions, as the kernel sees them": script(STATUS),
    "SIGPIPE and SIGXFSZ": script("import signal as s; print(s.getsignal(s.SIGPIPE), s.getsignal(s.SIGXFSZ))"),
    "an ignored signal stays ignored": Check(
        shell="trap '' INT HUP; {python} script.py", files={"script.py": DISPOSITIONS}
    ),
    "environment": script(ENVIRON, environ={"A": "1", "B": "two words", "EMPTY": ""}),
    "PYTHONPATH is kept": script(
        "import os; print(os.environ['PYTHONPATH'].split(os.pathsep)[-2:])", environ={"PYTHONPATH": "{work}/a:relative"}
    ),
    "working folder": script("import os; print(os.getcwd())"),
    "a working folder that is gone": Check(
        shell="mkdir gone; cd gone; rmdir ../gone; {python} -c \"import sys; print('on', sys.argv)\""
    ),
    "umask and limits": Check(
        shell="umask 027; ulimit -n 99; {python} script.py",
        files={"script.py": "import os, resource; print(os.umask(0), resource.getrlimit(resource.RLIMIT_NOFILE))"},
    ),
    "open files": script(FILES),
    "an inherited file": Check(
        shell="{python} script.py 5<input", files={"script.py": "import os; print(os.read(5, 9))", "input": "inherited"}
    ),
    "standard streams": script(STREAMS),
    "stdin reaches the script": script("import sys; print(sys.stdin.read())", stdin="for the script\nüber\n"),
    "stdin reaches the script unread": script("import os; print(os.read(0, 100))", stdin="for the script\n"),
    "stdin reaches -c": Check(["-c", "print(input(), input())"], stdin="a\nb\n"),
    "input() without input": script("input('name: ')", code=1),
    "stdin after the script on stdin": Check(["-"], stdin="import sys\nprint(sys.stdin.read())\n# the rest"),
    "stdin is closed": Check(shell="{python} script.py <&-", files={"script.py": "import sys; print(sys.stdin)"}),
    "stderr is closed": Check(shell="{python} script.py 2>&-", files={"script.py": "import sys; print(sys.stderr)"}),
    "a terminal": Check(
        shell="{python} terminal.py {python} script.py",
        files={"script.py": TERMINAL, "terminal.py": "import pty, sys; pty.spawn(sys.argv[1:])"},
    ),
    "locale C": script(STREAMS + UTF8 + ENVIRON, environ={"LANG": "C", "LC_ALL": ""}),
    "locale C for all": script(STREAMS + UTF8 + ENVIRON, environ={"LC_ALL": "C"}),
    "locale C for characters": script(STREAMS + UTF8 + ENVIRON, environ={"LC_ALL": "", "LC_CTYPE": "C"}),
    "no locale": script(STREAMS + UTF8 + ENVIRON, environ={"LANG": "", "LC_ALL": "", "LC_CTYPE": ""}),
    "a locale that is not there": script(STREAMS + UTF8 + ENVIRON, environ={"LANG": "xx_YY", "LC_ALL": ""}),
    "locale C for a program": Check(shell='{run} sh -c "echo $LC_CTYPE; locale"', environ={"LANG": "C", "LC_ALL": ""}),
    "name of the process": script("print(open('/proc/self/comm').read())"),
}
