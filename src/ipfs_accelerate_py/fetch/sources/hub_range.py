"""A range of a file of the Hub, asked for once, for the fleet: whoever wants it asks again where it does not come."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ...errors import SourceError
from ...fleet import heed
from ...hub import limits, stream
from ...net.answers import start_of
from ...repo import Repo
from . import FileRequest


class Range(Protocol):
    """Takes the bytes of a file from `size` to `end`."""

    size: int
    end: int

    def write(self, data: bytes) -> None: ...


def copy(request: FileRequest, segment: Range, root: Path) -> None:
    """Let the Hub fill a range. SourceError where it gives something else, or is not to be asked now; the errors of
    its client. `root`: of the store.
    """
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    if heed.left(root, limits.FILES, request.token):
        raise SourceError("the Hub has asked a machine of the fleet to wait")
    repo = Repo.parse(request.repo_id)
    url = hf_hub_url(repo.id, request.path, repo_type=repo.repo_type, revision=request.commit)
    headers = {
        **build_hf_headers(token=request.token),
        "Accept-Encoding": "identity",
        "Range": f"bytes={segment.size}-{segment.end - 1}",
    }
    with stream.get(url, headers, constants.HF_HUB_DOWNLOAD_TIMEOUT) as (answer, pieces):
        if answer.status_code != 206 or start_of(answer) != segment.size:
            raise SourceError(f"the Hub answered {answer.status_code}")
        for piece in pieces:
            segment.write(piece)
