"""One probe that tells all of an interpreter's state at once, and the comparison of two such answers."""

from __future__ import annotations

import json
import os
import zipfile

from ..conftest import SRC

SITE = str(SRC / "ipfs_accelerate_py" / "startup" / "site")
PROBE = """\
import json, os, sys
main = sys.modules["__main__"]
flags = {name: getattr(sys.flags, name) for name in dir(sys.flags) if not name.startswith(("_", "n_", "count", "ind"))}
print(json.dumps({
    "argv": sys.argv,
    "path": sys.path,
    "main": {name: repr(getattr(main, name, "absent")) for name in
             ("__name__", "__file__", "__package__", "__doc__", "__cached__", "__annotations__")},
    "loader": type(main.__loader__).__name__,
    "spec": main.__spec__ and main.__spec__.name,
    "flags": flags,
    "warnoptions": sys.warnoptions,
    "xoptions": sys._xoptions,
    "orig_argv": sys.orig_argv[1:],
    "executable": sys.executable,
    "prefix": sys.prefix,
    "stdin": sys.stdin.read() if "read" in sys.argv else None,
    "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None),
    "environ": {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "_")},
    "PYTHONPATH": os.environ.get("PYTHONPATH"),
    "boot": "_ipfs_accelerate_boot" in sys.modules,
}))
"""


def lay_out(folder):
    """Makes a working folder with the probe in all the shapes that Python can run."""
    (folder / "package").mkdir(parents=True)
    (folder / "folder").mkdir()
    (folder / "probe.py").write_text(PROBE)
    (folder / "no_suffix").write_text(PROBE)
    (folder / "package" / "__init__.py").write_text("")
    (folder / "package" / "__main__.py").write_text(PROBE)
    (folder / "package" / "part.py").write_text(PROBE)
    (folder / "folder" / "__main__.py").write_text(PROBE)
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", PROBE)
    data = (folder / "app.zip").read_bytes()
    (folder / "app").write_bytes(b"#!/usr/bin/env python3\n" + data)
    (folder / "app").chmod(0o755)


def compare(environment, work, words, **options):
    """Both runs' probe output; they are equal in exit code, stderr, and all but what `run` is there for."""
    plain = environment.run(*words, cwd=work, **options)
    hooked = environment.hook("run", *words, cwd=work, **options)
    assert (hooked.returncode, hooked.stderr) == (plain.returncode, plain.stderr)
    return json.loads(plain.stdout), json.loads(hooked.stdout)


def check(plain, hooked):
    assert hooked.pop("boot") is True and plain.pop("boot") is False
    path, python_path = hooked.pop("path"), hooked.pop("PYTHONPATH")
    assert path.count(SITE) == 1 and path[0] != SITE
    path.remove(SITE)
    assert path == plain.pop("path")
    theirs = plain.pop("PYTHONPATH")
    assert python_path == (f"{SITE}{os.pathsep}{theirs}" if theirs else SITE)
    assert hooked == plain
