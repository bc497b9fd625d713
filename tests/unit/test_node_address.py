"""IPFS_ACCELERATE_NODE: which addresses are taken, as tables."""

import pytest

from ipfs_accelerate_py.errors import SettingsError
from ipfs_accelerate_py.ipfs.address import node_address

USABLE = [
    "/ip4/127.0.0.1/tcp/5001/",
    "/ip4/127.0.0.1/tcp/5001/http",
    "/ip6/::1/tcp/5001/https",
    "/dns/node.example/tcp/443/https",
    "/dns4/node/tcp/1",
    "/dns6/n\xf6de-1/tcp/65535",
    "/unix/run/ipfs.sock",
]
UNUSABLE = [
    "/nonsense",
    "/ip4/127.0.0.1",
    "/ip4/127.0.0.1/tcp/0",
    "/ip4/127.0.0.1/tcp/99999",
    "/ip4/127.0.0.1/udp/5001",
    "/ip4/127.0.0.1/tcp/5001/http/more",
    "/ip4/127.0.0.1/tcp/5001/p2p/12D3KooWD3bfmNbuuuZHBXZDfK8QL2ab7HkQYZ9Aygs6gDzU2Hn9",
    "/ip4/300.1.1.1/tcp/5001",
    "/ip4/::1/tcp/5001",
    "/ip6/127.0.0.1/tcp/5001",
    "/ip6/fe80::1%eth0/tcp/5001",
    "/dns/a b/tcp/5001",
    "/dns/a_b/tcp/5001",
    "/dnsaddr/node.example/tcp/5001",
    "/unix/",
]


@pytest.mark.parametrize("text", [*USABLE, *UNUSABLE])
def test_the_client_takes_what_is_usable(text):
    from ipfs_accelerate_py.ipfs.rpc import RPC

    if text.endswith("/tcp/0"):
        return  # it connects to nothing
    try:
        RPC(text, 1.0).prepare()
        taken = True
    except SettingsError:
        taken = False
    assert taken is (text in USABLE)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("off", None),
        ("auto", None),
        ("/ip4/10.0.0.1/tcp/5001", "/ip4/10.0.0.1/tcp/5001"),
        ("http://127.0.0.1:5001", "/ip4/127.0.0.1/tcp/5001/http"),
        ("http://127.0.0.1:5001/", "/ip4/127.0.0.1/tcp/5001/http"),
        ("https://node.example:443", "/dns/node.example/tcp/443/https"),
        ("127.0.0.1:5002", "/ip4/127.0.0.1/tcp/5002/http"),
        ("localhost", "/dns/localhost/tcp/5001/http"),
        ("http://[::1]:5001", "/ip6/::1/tcp/5001/http"),
        ("http://alice:a@b@node.example:443", "/dns/node.example/tcp/443/http"),
        *((text, text) for text in USABLE),
    ],
)
def test_addresses_of_a_node(home, text, address):
    assert node_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ftp://127.0.0.1:21",
            "http://127.0.0.1:port",
            "http://127.0.0.1:99999",
            "http://",
            "http://[::1",
            "http://a_b",
        ),
        *UNUSABLE,
    ],
)
def test_an_address_that_is_none(home, text):
    with pytest.raises(SettingsError, match="IPFS_ACCELERATE_NODE") as caught:
        node_address(text)
    assert text in str(caught.value)
    assert "/ip4/127.0.0.1/tcp/5001" in caught.value.hint


@pytest.mark.parametrize("content", ["/ip4/127.0.0.1/tcp/5003", "/ip4/127.0.0.1/tcp/5003\n"])
def test_auto_is_the_api_file_of_the_default_repo(home, monkeypatch, content):
    (home / ".ipfs").mkdir()
    (home / ".ipfs" / "api").write_text(content)
    assert node_address("auto") == "/ip4/127.0.0.1/tcp/5003"
    monkeypatch.setenv("IPFS_PATH", str(home / "elsewhere"))
    assert node_address("auto") is None
