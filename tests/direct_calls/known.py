"""Differences that were decided, each with its reason."""

from __future__ import annotations

import importlib.metadata
import re
from typing import NamedTuple

from .call import Call


class Known(NamedTuple):
    """`calls`: a regular expression on the call's text; `field`: what differs, as `seen` names it."""

    calls: str
    field: str
    reason: str
    line: str = ""  # how the client's version begins, where it is of one line only


KNOWN: list[Known] = [
    Known("", "locks", "the client's own lock files, which it never removes; the store has locks of its own"),
    Known(r": identity\(", "value", "`inspect.getsourcefile` and `__defaults__` are those of our function"),
    *(
        Known(r"revision='main\\n'", field, "the Hub of the tests puts an id of the request into this text")
        for field in ("text", "server_message")
    ),
    *(
        Known(r"fs\.get_file\(.* 'got'", field, "0.36 fails here, for it makes a folder with no name", "0.")
        for field in ("error", "text", "mro", "response", "cause", "files")
    ),
    Known(r"local_dir=(7|b'x')", "stderr", "how far the bar had come when the first thread failed"),
    Known("hf_wrong", "stderr", "what is on this machine is given as by plain, and a line says that the Hub refused"),
    Known("resume_download=True", "warned", "0.36 warns once for each file that its own loop asks for", "0."),
    *(
        Known("cold: snapshot_download.*tqdm_class=Loud", field, "a bar for each file, where plain has one for the sum")
        for field in ("stdout", "stderr")
    ),
]


def is_known(call: Call, field: str) -> bool:
    """Was it decided that this call differs in this?"""
    line = importlib.metadata.version("huggingface_hub")
    return any(
        re.search(each.calls, str(call)) and each.field == field and line.startswith(each.line) for each in KNOWN
    )
