"""`env`: what belongs in a bug report, without secrets."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from ..output import print_json, tell
from ..program import GOOD

HELP = "print what belongs in a bug report, without secrets"
EXAMPLES = """\
env
env --json"""
_LIBRARIES = ("transformers", "huggingface_hub", "hf_xet", "wrapt", "ipfshttpclient", "fsspec", "torch", "tokenizers")
_OURS = ("IPFS_ACCELERATE", "HF_", "HUGGING", "TRANSFORMERS_")
_OTHERS = ("IPFS_PATH", "IPFS_KIT_DISABLE", "STORAGE_FORCE_LOCAL", "CI", "NO_COLOR", "PYTHONPATH", "VIRTUAL_ENV")
_SECRET = re.compile(r"token|password|passwd|secret|credential|cookie|(?:^|_)(?:key|auth)(?:$|_)", re.IGNORECASE)
# Named like secrets, and none: what they are set to may be the bug.
_OPEN = ("HF_TOKEN_PATH", "HF_HUB_DISABLE_IMPLICIT_TOKEN")


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    report = describe()
    if args.json:
        print_json(report)
        return GOOD
    for name, value in report.items():
        if isinstance(value, dict):
            tell(args, f"{name}:")
            for key, each in value.items():
                tell(args, f"  {key}: {_say(each)}")
        else:
            tell(args, f"{name}: {_say(value)}")
    return GOOD


def describe() -> dict[str, Any]:
    """All of it, as plain data."""
    import platform

    from ... import __version__
    from ...config.settings import config_file, read_settings, read_switch
    from ...doctor.folders import file_system
    from ...startup.files import find_startup_files

    switch, home = read_switch(), read_settings().home
    return {
        "ipfs_accelerate_py": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "executable": sys.executable,
        "virtual_environment": sys.prefix != sys.base_prefix,
        "platform": platform.platform(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "environment": read_environment(),
        "settings_file": {"path": str(config_file()), "exists": config_file().exists()},
        "store": {"path": str(home), "exists": home.is_dir(), "file_system": file_system(home)},
        "startup": find_startup_files(),
        "switch": {"on": switch.on, "reason": switch.reason, "variable": switch.variable},
    }


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def read_environment() -> dict[str, str]:
    """The variables that matter to us, as they may be shown."""
    return {
        name: mask(name, value)
        for name, value in sorted(os.environ.items())
        if name.startswith(_OURS) or name in _OTHERS or name.lower() in ("http_proxy", "https_proxy", "no_proxy")
    }


def mask(name: str, value: str) -> str:
    """A variable's value without tokens and passwords: by its name, in URLs, and whatever looks like a Hub token."""
    if value and _SECRET.search(name) and name not in _OPEN:
        return "***"
    from ...config.forms import without_secrets

    return without_secrets(value)


def _say(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return {"True": "yes", "False": "no", "None": "none"}.get(str(value), str(value))
