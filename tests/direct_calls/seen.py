"""What a caller can see of a call: the value or the error, what was logged, the files that it left."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Seen = dict[str, Any]
MOMENT = re.compile("accessed|modified")  # of files that were laid a moment ago
SIMPLE = (bool, int, float, type(None))


def observe(call: Callable[[], Any]) -> Seen:
    """Return value or error, warnings and what the client logged."""
    said: list[list[str]] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append([record.levelname, record.getMessage()])  # type: ignore[method-assign]
    logging.getLogger("huggingface_hub").addHandler(handler)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found: Seen = {"value": describe(call())}
        except BaseException as error:
            found = {"error": type(error).__name__, "text": str(error), **_of_error(error)}
    found["said"] = said
    found["warned"] = [[each.category.__name__, str(each.message)] for each in caught]
    return found


def _of_error(error: BaseException) -> Seen:
    response = getattr(error, "response", None)
    return {
        "mro": [f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__],
        "response": response is not None and [type(response).__module__.partition(".")[0], response.status_code],
        "server_message": getattr(error, "server_message", None),
        "cause": type(error.__cause__ or error.__context__).__name__,
    }


def describe(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON has it; a path of a file with a digest of the content."""
    if isinstance(value, SIMPLE) or depth > 8:
        return value if isinstance(value, SIMPLE) else type(value).__name__
    if isinstance(value, str | os.PathLike):
        return _text(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes {hashlib.sha256(value).hexdigest()[:12]}"
    if isinstance(value, Mapping):
        return {str(key): describe(each, depth + 1) for key, each in value.items()}
    if isinstance(value, frozenset | set):
        return [type(value).__name__, *sorted((describe(each, depth + 1) for each in value), key=repr)]
    if isinstance(value, list) and {type(each).__name__ for each in value} == {"DryRunFileInfo"}:
        value = sorted(value, key=lambda each: str(each.filename))  # in plain, as its threads end
    if isinstance(value, list | tuple | types.GeneratorType | Iterator):
        return [type(value).__name__, *(describe(each, depth + 1) for each in value)]
    if hasattr(value, "__dict__") and not isinstance(value, type | types.FunctionType | types.MethodType):
        parts = {
            key: describe(each, depth + 1)
            for key, each in vars(value).items()
            if not callable(each) and not (isinstance(each, float) and MOMENT.search(key))
        }
        return {"type": _name(type(value)), **parts}
    return re.sub(r"0x[0-9a-f]+", "0x", f"{_name(type(value))} {value!r}")


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _text(value: str | os.PathLike[str]) -> Any:
    text = os.fspath(value)
    with contextlib.suppress(OSError, ValueError):
        if "/" in text and Path(text).is_file():
            text = f"{text} = {hashlib.sha256(Path(text).read_bytes()).hexdigest()[:12]}"
    if type(value) is str:
        return text
    return {"type": _name(type(value)), "text": text, **{key: str(each) for key, each in vars_of(value).items()}}


def vars_of(value: Any) -> dict[str, Any]:
    """Return the attributes of an instance, if it has such."""
    return vars(value) if hasattr(value, "__dict__") else {}


def files_below(home: Path) -> tuple[dict[str, str], list[str]]:
    """Return what lies in the caller's folders (not in our store), and apart from it the client's lock files."""
    found, locks = {}, []
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if name.startswith("store"):
            continue
        if path.suffix == ".lock" or "/.locks" in f"/{name}":
            locks += [name] if path.is_file() else []
        elif path.is_symlink():
            found[name] = f"link, {path.stat().st_size if path.exists() else 'dangling'}"
        elif path.is_file():
            found[name] = _file(path, name)
        elif not any(path.iterdir()):
            found[name] = "empty folder"
    return found, locks


def _file(path: Path, name: str) -> str:
    if path.suffix == ".metadata":  # commit, ETag, and the time
        return " ".join(path.read_text().split()[:2])
    if "/refs/" in name:
        return path.read_text()
    many = path.stat().st_nlink > 1 and "/blobs/" not in name
    return f"{path.stat().st_size}{', also elsewhere' if many else ''}"


def bars(text: str) -> list[str]:
    """Return the last state of each progress bar and every other line, without rates and times."""
    last: dict[str, str] = {}
    for line in re.split(r"[\r\n]+", text):
        plain = re.sub(r"\[[^\]]*\]|\x1b\[\w|[▏▎▍▌▋▊▉█#| ]{2,}", " ", line).strip()
        if plain:
            last[plain.partition(":")[0]] = plain
    return sorted(last.values())


def normalise(text: str, home: Path, hubs: dict[str, str]) -> str:
    """Return the text without what differs from one run to the next."""
    text = text.replace(str(home), "HOME")
    for url, name in hubs.items():
        text = text.replace(url, name).replace(url.partition("//")[2], f"{name}'s port")
    for old, new in (
        (r" ?\(Request ID: [^)]*\)", ""),
        (r"127\.0\.0\.1:\d+|port=\d+", "PORT"),
        (r"0x[0-9a-f]{6,}", "0x"),
        (r"X-Sig=[0-9a-f]+", "X-Sig"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
        (r"\.[0-9a-f]{8}\.incomplete", ".X.incomplete"),
    ):
        text = re.sub(old, new, text)
    return text
