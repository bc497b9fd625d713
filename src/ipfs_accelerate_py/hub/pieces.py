"""huggingface_hub's own download loop, writing small pieces: others may follow the file while its bytes arrive."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import Any

PIECE = 1 << 16  # bytes; the client's own are of 10 MB


def download_loop(*, small: bool) -> Callable[..., None]:
    """`http_get` of the client; where `small` pieces are wanted, the same code that sees another size of them.

    It has no parameter for that, and to change the client's constant would change every download of the program.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import http_get

    loop = inspect.unwrap(http_get)
    if not small or not isinstance(loop, FunctionType) or "constants" not in loop.__globals__:
        return http_get
    seen = {**vars(constants), "DOWNLOAD_CHUNK_SIZE": PIECE, "HF_HUB_ENABLE_HF_TRANSFER": False}
    names: dict[str, Any] = {**loop.__globals__, "constants": SimpleNamespace(**seen)}
    made = FunctionType(loop.__code__, names, loop.__name__, loop.__defaults__, loop.__closure__)
    made.__kwdefaults__ = loop.__kwdefaults__
    names[loop.__name__] = made  # it calls itself to resume
    return made
