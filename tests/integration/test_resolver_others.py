"""Which authorities besides the Hub are asked: none about closed repos, publishers about what the Hub does not say."""

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ipfs_accelerate_py.errors import SourceError, Unresolved
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish.publisher import MFS_ROOT
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.tree import Entry, Tree

from .resolving import FILES, OTHER, REPO, commit_of

pytestmark = pytest.mark.lines


@pytest.fixture
def trap(here):
    """A port in place of a node; says whether anybody has come to ask."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        came = threading.Event()

        def wait():
            try:
                server.accept()[0].close()
            except OSError:
                return
            came.set()

        threading.Thread(target=wait, daemon=True).start()
        here.change(node=f"/ip4/127.0.0.1/tcp/{server.getsockname()[1]}", publishers=("12D3KooW" + "a" * 44,))
        yield came


@pytest.mark.parametrize("repo_id", ["acme/nobody", "acme/private"])
def test_what_the_hub_does_not_show_is_asked_of_nobody_else(acme_hub, here, trap, repo_id):
    with pytest.raises(Unresolved):
        here.resolve(repo_id)
    assert not trap.wait(0.2)


@pytest.mark.parametrize("repo_id", ["acme/private", "acme/gated"])
def test_the_files_of_a_closed_repo_are_asked_of_the_hub_alone(acme_hub, here, trap, repo_id):
    found = here.resolve(repo_id, token="hf_alice")
    assert found.public is False
    present = here.make_present(found, token="hf_alice")
    assert {path: where.read_bytes() for path, where in present.items()} == FILES
    here.forget()
    assert here.resolve(repo_id, found.commit, token="hf_alice").public is False
    assert not trap.wait(0.2)


def test_the_files_of_a_public_one_are_asked_of_the_node(acme_hub, here, trap):
    here.make_present(here.resolve(REPO))
    assert trap.wait(10)


def test_a_token_goes_to_the_hub_alone(acme_hub, here):
    here.make_present(here.resolve("acme/private", token="hf_alice"), token="hf_alice")
    assert [row for row in acme_hub.log if row["origin"] == "hub" and row["auth"]]
    assert not [row for row in acme_hub.log if row["origin"] != "hub" and row["auth"]]


# -- publishers ---------------------------------------------------------------------------------------------------
@pytest.fixture
def publish(nodes, here):
    """Publishes words (without files) as the trusted publisher would; here the same node is asked."""
    [process] = nodes(1)
    node = Node(process.api, 10.0)
    here.change(node=process.api, publishers=(process.peer_id,), timeout=3.0)

    def publish(tree, revision="main", word=None):
        for path, content in (
            (layout.tree_path(REPO, tree.commit), tree.to_json()),
            (layout.ref_path(REPO, revision), (word or tree.commit).encode()),
        ):
            node.make_folder(f"{MFS_ROOT}/{path}".rpartition("/")[0])
            node.write(f"{MFS_ROOT}/{path}", content)
        node.publish(node.stat(MFS_ROOT)["Hash"])
        here.forget()

    yield publish
    if node.stat(MFS_ROOT):
        node.remove(MFS_ROOT)


THEIRS = Tree(OTHER, {"config.json": Entry(2, "a" * 40)}, {"tags": ["theirs"]})


def test_a_publisher_speaks_when_the_hub_is_silent_and_nothing_is_known_here(acme_hub, here, publish):
    publish(THEIRS)
    acme_hub.fault(status=503)
    found = here.resolve(REPO)
    assert found.commit == OTHER and found.tree.files == THEIRS.files
    assert found.according_to == f"publisher {here.settings.publishers[0]}"
    # kept, but as what it is
    here.forget()
    here.change(node="off")
    assert here.resolve(REPO).according_to == "publisher"


def test_the_hub_beats_a_publisher_and_takes_its_place(acme_hub, here, publish):
    publish(THEIRS)
    fault = acme_hub.fault(status=503, times=1)
    assert here.resolve(REPO).commit == OTHER
    assert fault["times"] == 0
    here.forget()
    assert here.resolve(REPO).commit == commit_of(acme_hub)
    here.forget()
    acme_hub.fault(status=503)
    found = here.resolve(REPO)
    assert (found.commit, found.according_to) == (commit_of(acme_hub), "store")


def test_what_this_machine_learnt_from_the_hub_beats_a_publisher(acme_hub, here, publish):
    commit = here.resolve(REPO).commit
    publish(THEIRS)
    acme_hub.fault(status=503)
    found = here.resolve(REPO)
    assert (found.commit, found.according_to) == (commit, "store")


def test_for_one_commit_the_hubs_kept_tree_beats_a_publishers(acme_hub, here, publish):
    known = here.resolve(REPO)
    publish(Tree(known.commit, {"config.json": Entry(1, "b" * 40), "more.txt": Entry(1, "c" * 40)}))
    acme_hub.fault(status=503)
    for revision in (None, known.commit):
        assert here.resolve(REPO, revision).tree.files == known.tree.files


def test_whose_word_is_not_trusted_is_not_asked(acme_hub, here, publish):
    publish(THEIRS)
    here.change(publishers=())
    acme_hub.fault(status=503)
    with pytest.raises(Unresolved):
        here.resolve(REPO)


def test_a_publishers_listing_with_a_hostile_name_is_refused_whole(acme_hub, here, publish):
    publish(Tree(OTHER, {**THEIRS.files, "../../evil": Entry(2, "a" * 40)}))
    acme_hub.fault(status=503)
    with pytest.raises(Unresolved):
        here.resolve(REPO)
    assert here.store.read_tree(REPO, OTHER) is None


@pytest.mark.parametrize("word", ["../../x", "main", "A" * 40, "0" * 300])
def test_a_publishers_word_that_is_no_commit_is_not_used(acme_hub, here, publish, word):
    publish(THEIRS, word=word)
    acme_hub.fault(status=503)
    with pytest.raises(Unresolved):
        here.resolve(REPO)


def test_an_unknown_revision_is_asked_of_no_publisher(acme_hub, here, publish):
    publish(THEIRS, "no-such-branch")
    with pytest.raises(Unresolved) as caught:
        here.resolve(REPO, "no-such-branch")
    assert caught.value.answered


def test_a_nodes_answer_that_drips_is_given_up():
    """Each byte comes in time, and all of them would take ten seconds."""

    class Dripping(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(40):
                    self.wfile.write(b"1\r\na\r\n")
                    time.sleep(0.25)
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(SourceError, match=r"did not come whole in 2 s"):
            Node(f"/ip4/127.0.0.1/tcp/{server.server_port}", 1.0).read("/ipfs/x", 256)
        server.shutdown()
