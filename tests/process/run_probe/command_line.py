"""What the program sees of its command line, and where that line ends."""

from .check import Check, script

ARGV = "import sys; print(sys.argv)"
ORIGINAL = "import sys; print(sys.orig_argv)"
MODULES = {"package/__init__.py": "", "package/__main__.py": ARGV, "package/part.py": ARGV}

CHECKS = {
    "argv, none": script(ARGV),
    "argv with options": script(ARGV, "-x", "--flag", "--name=value", "-m", "-c", "-V"),
    "argv with --": script(ARGV, "--", "a", "--", "-b"),
    "argv with spaces": script(ARGV, "a b", " ", "", "tab\there", "line\nhere", "'\"$HOME"),
    "argv with our own words": script(ARGV, "run", "--help", "-q", "--debug", "--json"),
    "argv that is not ASCII": script(ARGV, "über", "模型"),
    "argv that is not text": Check(shell="{python} script.py \"$(printf 'a\\377b')\"", files={"script.py": ARGV}),
    "argv that is long": script("import sys; print(len(sys.argv[1]), len(sys.argv))", "x" * 100_000, *"abc" * 500),
    "argv of a script below": Check(["sub/script.py", "-a"], files={"sub/script.py": ARGV}),
    "argv of ./script": Check(["./script.py", "-a"], files={"script.py": ARGV}),
    "argv of -c": Check(["-c", ARGV, "-c", "-a", "--", "b c"]),
    "argv of -c in one word": Check(["-cimport sys; print(sys.argv)", "-a"]),
    "argv of -m package.module": Check(["-m", "package.part", "-m", "-a", "--", "b c"], files=MODULES),
    "argv of -m package": Check(["-m", "package", "-h"], files=MODULES),
    "argv of -m in one word": Check(["-mpackage.part", "-a"], files=MODULES),
    "argv of stdin": Check(["-", "-a", "b c"], stdin=ARGV),
    "argv of a folder": Check(["folder", "-a"], files={"folder/__main__.py": ARGV}),
    "argv of a zip application": Check(["app.zip", "-a"], files={"app.zip": ARGV}),
    "argv of an executable zip application": Check(["./tool.app", "-a"], files={"tool.app": ARGV}),
    "argv after -- before the script": Check(["--", "script.py", "--", "-a"], files={"script.py": ARGV}),
    "argv of a script whose name is an option": Check(["--", "-x.py", "a"], files={"-x.py": ARGV}),
    "orig_argv of a script": script(ORIGINAL, "-a"),
    "orig_argv with options": Check(["-B", "-Wignore", "-X", "dev", "script.py", "-a"], files={"script.py": ORIGINAL}),
    "orig_argv of -m": Check(["-u", "-m", "part", "-a"], files={"part.py": ORIGINAL}),
    "orig_argv of python by its name": Check(shell="{name} script.py", files={"script.py": ORIGINAL}),
    "-x passes over the first line": Check(["-x", "script.py"], files={"script.py": f"not Python\n{ARGV}"}),
    "-V": Check(["-V"]),
    "-VV": Check(["-VV"]),
    "an unknown option": Check(["-Q"], code=2),
    "an option without its value": Check(["-X"], code=2),
    "-c without code": Check(["-c"], code=2),
    "-m without a name": Check(["-m"], code=2),
}
