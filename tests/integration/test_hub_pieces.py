"""The client's own download loop in small pieces, which another may follow while the bytes arrive."""

import os

import pytest
from huggingface_hub import constants, hf_hub_url

from ipfs_accelerate_py.hub.pieces import PIECE, download_loop

CONTENT = os.urandom(3_000_000)


class Pieces:
    """A file that remembers how it was written to."""

    def __init__(self):
        self.sizes, self.data = [], bytearray()

    def write(self, data):
        self.sizes.append(len(data))
        self.data += data

    def tell(self):
        return len(self.data)

    def seek(self, position):
        pass

    def truncate(self):
        self.data.clear()


@pytest.mark.lines
@pytest.mark.parametrize("at", [0, 1_000_000])
@pytest.mark.parametrize("small", [True, False])
def test_the_sizes_of_the_pieces(serve_repos, at, small):
    hub = serve_repos({"acme/model": {"model.safetensors": CONTENT}})
    before, file = constants.DOWNLOAD_CHUNK_SIZE, Pieces()
    url = hf_hub_url("acme/model", "model.safetensors", endpoint=hub.endpoint)
    file.data += CONTENT[:at]
    download_loop(small=small)(url, file, resume_size=at, expected_size=len(CONTENT))
    assert bytes(file.data) == CONTENT
    assert (max(file.sizes) <= PIECE) == small
    assert before == constants.DOWNLOAD_CHUNK_SIZE  # of other downloads


def test_it_resumes_where_the_connection_broke(serve_repos):
    """The client of the older line does not resume by itself."""
    hub = serve_repos({"acme/model": {"model.safetensors": CONTENT}})
    hub.fault(match="GET /_blob", truncate=1_000_000, times=1)
    file = Pieces()
    url = hf_hub_url("acme/model", "model.safetensors", endpoint=hub.endpoint)
    download_loop(small=True)(url, file, expected_size=len(CONTENT))
    assert bytes(file.data) == CONTENT and max(file.sizes) <= PIECE
    given = sum(row["bytes"] for row in hub.log if row["origin"] == "cdn")
    assert given <= len(CONTENT) + PIECE  # a piece that had not come whole is asked for again
