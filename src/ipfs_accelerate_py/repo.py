"""What a repo of the Hub is: a model, a dataset or a space, with its id.

Its *key* names it wherever a repo is named, in JSON and in lock files too: `org/name` for a model, `dataset:org/name`
and `space:org/name` for the others. No repo id has a colon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import unquote

from .errors import UnsafeName

Kind = Literal["model", "dataset", "space"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_PREFIXES: dict[str, Kind] = {"": "model", "dataset:": "dataset", "space:": "space"}  # of a key
_PLURALS: dict[str, Kind] = {f"{kind}s": kind for kind in KINDS}  # in folder names, and in the Hub's paths

_ID = re.compile(r"(?:[A-Za-z0-9_][\w.\-]*/)?[A-Za-z0-9_][\w.\-]*", re.ASCII)


def is_repo_id(text: object) -> bool:
    """Return whether this is `name` or `org/name` by the Hub's rules (96 characters, no `--`, no `..`)."""
    return (
        isinstance(text, str)
        and len(text) <= 96
        and _ID.fullmatch(text) is not None
        and "--" not in text
        and ".." not in text
        and not text.endswith((".git", ".", "-"))
    )


@dataclass(frozen=True)
class Repo:
    """A repo. The id is not checked here; `parse` and `of_folder` check it."""

    kind: Kind
    id: str

    @classmethod
    def parse(cls, key: str) -> Repo:
        """The repo that a key names; UnsafeName for what is no key."""
        repo_id = key.rpartition(":")[2] if isinstance(key, str) else ""
        kind = _PREFIXES.get(key[: len(key) - len(repo_id)]) if is_repo_id(repo_id) else None
        if kind is not None:
            return cls(kind, repo_id)
        hint = "name it as the Hub shows it, such as org/name; a dataset as dataset:org/name, a space as space:org/name"
        raise UnsafeName(f"{key!r} is not a repo id of the form 'org/name'", hint)

    @classmethod
    def of_folder(cls, folder: str) -> Repo | None:
        """`datasets--org--name` -> the repo, or None for what is no repo's folder."""
        plural, _, rest = folder.partition("--")
        repo_id = rest.replace("--", "/")
        if plural not in _PLURALS or not is_repo_id(repo_id):
            return None
        repo = cls(_PLURALS[plural], repo_id)
        return repo if repo.folder == folder else None

    @property
    def key(self) -> str:
        """`org/name`, `dataset:org/name` or `space:org/name`."""
        return self.id if self.kind == "model" else f"{self.kind}:{self.id}"

    @property
    def repo_type(self) -> Kind:
        """For huggingface_hub's `repo_type=`."""
        return self.kind

    @property
    def folder(self) -> str:
        """The name of its folder in the Hugging Face cache layout: `datasets--org--name`."""
        return "--".join([f"{self.kind}s", *self.id.split("/")])

    @property
    def api_path(self) -> str:
        """Where the Hub's API speaks of it: `api/datasets/org/name`."""
        return f"api/{self.kind}s/{self.id}"


def read_name(text: str) -> tuple[str, str | None]:
    """What people write -> the key, and the revision (None where none is given).

    `org/name`, `dataset:org/name`, `datasets/org/name` and `hf://datasets/org/name`, each with or without `@revision`.
    What is none of these comes back as it is, and is refused where it is used: see `Repo.parse`.
    """
    name, _, revision = text.partition("@")  # no repo id has an @, and a branch may
    uri = name.removeprefix("hf://")
    if uri != name:
        revision = unquote(revision)  # as huggingface_hub reads it
    first, _, rest = uri.partition("/")
    if first in _PLURALS and (uri != name or "/" in rest):  # two parts alone are a model, whatever its organisation
        return Repo(_PLURALS[first], rest).key, revision or None
    return uri.removeprefix("model:"), revision or None
