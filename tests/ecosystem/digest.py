"""One digest of whatever a load gave: every tensor, array, row and file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def digest(value: Any) -> str:
    """Return the SHA-256 of the value's parts, in order."""
    whole = hashlib.sha256()
    for part in _parts(value):
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    import numpy
    import torch

    if isinstance(value, torch.nn.Module):
        yield from _parts(dict(sorted(value.state_dict().items())))
    elif isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(value, numpy.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, Path):
        yield value.read_bytes()
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key).encode()
            yield from _parts(part)
    elif isinstance(value, list | tuple):
        yield f"{len(value)} parts".encode()
        for part in value:
            yield from _parts(part)
    elif value is None or isinstance(value, str | int | float | bool | bytes):
        yield repr(value).encode()
    else:
        raise TypeError(f"no digest for a {type(value)}")
