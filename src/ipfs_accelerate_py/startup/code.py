"""What the startup files of an environment hold.

`ipfs_accelerate.pth` holds one import line, which `site` executes in every interpreter of the environment.
Python 3.15 and later execute `ipfs_accelerate.start` instead: an entry point per line, `#` lines ignored
(https://peps.python.org/pep-0829/). An entry point that cannot be imported makes a traceback there, so it names a
guard beside it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing and pathlib would cost `hook run` time
    from pathlib import Path

PTH = "ipfs_accelerate.pth"
START = "ipfs_accelerate.start"
GUARD = "_ipfs_accelerate_start.py"
# Every version of ours starts like this, so that all versions know the files of the others.
MARKS = {
    PTH: 'import sys; "ipfs_accelerate startup line"; ',
    START: "# ipfs_accelerate startup entry point\n",
    GUARD: '"""ipfs_accelerate startup guard."""\n',
}
_PLAIN = "import _ipfs_accelerate_boot"
# An editable install adds its folder in a .pth of its own, which may come after ours; and user site-packages come
# before the environment's. The folder is on sys.path for this import only, and first: no other has to be listed.
_WITH_FOLDER = """\
sys.path.insert(0, {folder})
try:
    import _ipfs_accelerate_boot
finally:
    sys.path.remove({folder})"""


def package_folder() -> Path:
    """The folder from which this package is imported: a site-packages, or a source folder."""
    from pathlib import Path

    return Path(__file__).resolve().parents[2]


def _code(site: Path, package: Path) -> str:
    """What runs at start: silent whatever has become of the package in the meantime."""
    inner = _PLAIN if package == site.resolve() else _WITH_FOLDER.format(folder=ascii(str(package)))
    indented = "".join(f"    {line}\n" for line in inner.splitlines())
    return f"try:\n{indented}except Exception:\n    pass\n"


def contents(site: Path, version: tuple[int, int], package: Path) -> dict[str, str]:
    """File name -> text for the site-packages folder of a Python of that version, which has us in folder `package`."""
    execute = f'exec({_code(site, package)!r}, {{"sys": sys}})'
    files = {
        PTH: f"{MARKS[PTH]}{execute}\n",
        START: f"{MARKS[START]}_ipfs_accelerate_boot:install\n",
    }
    if version >= (3, 15):
        files[START] = f"{MARKS[START]}{GUARD.removesuffix('.py')}:install\n"
        files[GUARD] = f"{MARKS[GUARD]}import sys\n\n\ndef install():\n    {execute}\n"
    return files
