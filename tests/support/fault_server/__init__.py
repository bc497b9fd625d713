"""HTTP servers that do one thing wrong at a time: one that serves a folder in the cache layout, one that stands before
another server (a node's RPC API, a Hub, a gateway).

    with FolderServer(store.root) as server:                 # {url}/models--..., {url}/ipns/<any>/models--...
        server.set_fault("one byte flipped", match="weights")
    with FaultProxy(node.api_url) as proxy: ...
    server.log                                               # each request, with the bytes that were sent
"""

from .faults import FAULTS, OTHER_BYTES
from .kinds import FaultProxy, FolderServer
from .server import FaultServer

__all__ = ["FAULTS", "OTHER_BYTES", "FaultProxy", "FaultServer", "FolderServer"]
