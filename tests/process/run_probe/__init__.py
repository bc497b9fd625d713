"""One probe in many named checks: each runs under `python ...` and under `hook run ...`, and the answers are compared.

The idea is coverage.py's: `tests/test_execfile.py` and `test_process.py` there compare `coverage run` with `python`.
"""

from . import children, command_line, customize, endings, interpreter, main_module, options, process, programs

SUBJECTS = (command_line, main_module, endings, process, interpreter, options, children, customize, programs)
CHECKS = {
    f"{subject.__name__.rpartition('.')[2]}: {name}": check
    for subject in SUBJECTS
    for name, check in subject.CHECKS.items()
}
