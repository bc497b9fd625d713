"""sitecustomize and usercustomize of the user's own."""

from .check import Check, script

THEIRS = "import os, sys; os.environ['THEIRS'] = 'ran'; sys.path.insert(0, '/inserted')"
SEEN = """\
import os, sys
for name in ('sitecustomize', 'usercustomize'):
    module = sys.modules.get(name)
    print(name, module and (module.__name__, module.__file__, module.__spec__.name, sorted(vars(module))))
print(os.environ.get('THEIRS'), '/inserted' in sys.path)
"""


def customize(name: str, text: str, **options) -> Check:
    return script(SEEN, files={f"lib/{name}.py": text}, environ={"PYTHONPATH": "{work}/lib"}, **options)


ERRORS = {
    "ValueError": "raise ValueError('theirs')",
    "a missing module": "import no_such_module",
    "SyntaxError": "def f(:\n",
    "ImportError": "raise ImportError('theirs')",
}
CHECKS = {
    "sitecustomize": customize("sitecustomize", THEIRS),
    "usercustomize": customize("usercustomize", THEIRS, user_site=True),
    "usercustomize where none is wanted": customize("usercustomize", THEIRS),
    "a sitecustomize that is a package": script(
        SEEN, files={"lib/sitecustomize/__init__.py": THEIRS}, environ={"PYTHONPATH": "{work}/lib"}
    ),
    "a sitecustomize beside the script is not run": script(SEEN, files={"sitecustomize.py": THEIRS}),
    **{f"sitecustomize with {name}": customize("sitecustomize", text) for name, text in ERRORS.items()},
    **{
        f"usercustomize with {name}": customize("usercustomize", text, user_site=True)
        for name, text in list(ERRORS.items())[:2]
    },
    "no sitecustomize": script("import sitecustomize", code=1),
    "a sitecustomize that exits": customize("sitecustomize", "raise SystemExit(4)", code=1),
}
