"""What belongs in a bug report: versions, settings and folders of this environment, without secrets."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..config.forms import without_secrets
from ..config.settings import config_file, read_settings, read_switch
from ..config.switch import Switch
from ..doctor.folders import file_system
from ..startup.files import StartupFiles, find_startup_files

_LIBRARIES = ("transformers", "huggingface_hub", "hf_xet", "wrapt", "ipfshttpclient", "fsspec", "torch", "tokenizers")
_OURS = ("IPFS_ACCELERATE", "HF_", "HUGGING", "TRANSFORMERS_")
_OTHERS = ("IPFS_PATH", "IPFS_KIT_DISABLE", "STORAGE_FORCE_LOCAL", "CI", "NO_COLOR", "PYTHONPATH", "VIRTUAL_ENV")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
_SECRET = re.compile(r"token|password|passwd|secret|credential|cookie|(?:^|_)(?:key|auth)(?:$|_)", re.IGNORECASE)
# Named like secrets, and none: what they are set to may be the bug.
_OPEN = ("HF_TOKEN_PATH", "HF_HUB_DISABLE_IMPLICIT_TOKEN")


@dataclass(frozen=True)
class SettingsFile:
    """Where the settings file lies, or would lie."""

    path: str
    exists: bool


@dataclass(frozen=True)
class StoreFolder:
    """The folder of the store, and the file system of the nearest folder that exists."""

    path: str
    exists: bool
    file_system: str


@dataclass(frozen=True)
class BugReport:
    """Facts of this environment. `libraries`: name -> version; `environment`: variables that matter here."""

    ipfs_accelerate_py: str
    python: str
    executable: str
    virtual_environment: bool
    platform: str
    libraries: Mapping[str, str | None]
    environment: Mapping[str, str]
    settings_file: SettingsFile
    store: StoreFolder
    startup: StartupFiles
    switch: Switch

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        switch = {"on": self.switch.on, "reason": self.switch.reason, "variable": self.switch.variable}
        return {**asdict(self), "startup": self.startup.to_dict(), "switch": switch}


def read_report() -> BugReport:
    """Read all of it now."""
    import platform

    from .. import __version__

    home = read_settings().home
    return BugReport(
        ipfs_accelerate_py=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        executable=sys.executable,
        virtual_environment=sys.prefix != sys.base_prefix,
        platform=platform.platform(),
        libraries={name: _version(name) for name in _LIBRARIES},
        environment=_environment(),
        settings_file=SettingsFile(str(config_file()), config_file().exists()),
        store=StoreFolder(str(home), home.is_dir(), file_system(home)),
        startup=find_startup_files(),
        switch=read_switch(),
    )


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _environment() -> dict[str, str]:
    """The variables that matter to us, as they may be shown."""
    return {
        name: mask(name, value)
        for name, value in sorted(os.environ.items())
        if name.startswith(_OURS) or name in _OTHERS or name.lower() in _PROXIES
    }


def mask(name: str, value: str) -> str:
    """A variable's value without tokens and passwords: by its name, in URLs, and whatever looks like a Hub token."""
    return "***" if value and _SECRET.search(name) and name not in _OPEN else without_secrets(value)
