"""A node and a gateway behind HTTP basic authentication: the name and password of their URLs reach them alone."""

import base64

import pytest

from ipfs_accelerate_py.config.settings import Settings
from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.fetch.sources.gateway import Gateway
from ipfs_accelerate_py.ipfs.node import open_node
from tests.support.fault_server import FaultProxy
from tests.support.fault_server.faults import Answer

RIGHT = "Basic " + base64.b64encode(b"us er:p@ss:w/ord").decode()
LOGIN = "us%20er:p%40ss%3Aw%2Ford"


class Guarded(FaultProxy):
    """Lets only those through who know the name and the password."""

    def answer(self, request, ignore_range=False):
        if request.headers.get("Authorization") != RIGHT:
            return Answer(401, {"WWW-Authenticate": "Basic"}, b"who are you?")
        return super().answer(request, ignore_range)


@pytest.fixture
def node(nodes):
    return nodes(1)[0]


def opened(here, url):
    here.change(node=url)
    settings: Settings = here.settings
    return open_node(settings, 10.0)


def test_a_node(node, here):
    with Guarded(node.api_url) as guard:
        assert opened(here, f"http://{LOGIN}@127.0.0.1:{guard.port}").peer_id() == node.peer_id
        for login in ("", "us%20er:wrong@"):
            with pytest.raises(SourceError, match="401") as caught:
                opened(here, f"http://{login}127.0.0.1:{guard.port}").peer_id()
            assert "wrong" not in str(caught.value)


def test_a_gateway(node):
    cid = node.rpc("add", body=b"some bytes")["Hash"]
    with Guarded(node.gateway) as guard:
        gateway = Gateway(f"http://{LOGIN}@127.0.0.1:{guard.port}", tuple, 10.0)
        assert gateway.read(f"/ipfs/{cid}", 100, "*/*") == b"some bytes"
        assert "ss" not in gateway.label
        with pytest.raises(SourceError, match="401"):
            Gateway(guard.url, tuple, 10.0).read(f"/ipfs/{cid}", 100, "*/*")
