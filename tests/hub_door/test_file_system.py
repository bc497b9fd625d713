"""`HfFileSystem.get_file` writes where plain writes, and an opened file is of one commit."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines

GET = 'lambda: HfFileSystem().get_file(f"{MODEL}/config.json", '


def test_a_file_that_is_there_is_written_to_and_not_replaced(run):
    found = run(f"""
open("real", "w").write("x" * 1000)
os.chmod("real", 0o600)
os.symlink("real", "link")
os.link("real", "other")
say("get", {GET}"link"))
say("read", lambda: [open(name).read() for name in ("real", "other")])
say("kept", lambda: [os.path.islink("link"), os.stat("real").st_mode & 0o777])
""")

    assert found == {"get": None, "read": ['{"a": 1}\n'] * 2, "kept": [True, 0o600]}


def test_over_the_cached_file_itself(run):
    found = run(f"""
path = hf_hub_download(MODEL, "config.json")
say("get", {GET}path))
say("read", lambda: open(path).read())
""")

    assert found == {"get": None, "read": '{"a": 1}\n'}


@pytest.mark.parametrize("hooked", [True, False])
def test_a_pipe_stays_one(run, hooked):
    found = run(
        f"""
os.mkfifo("pipe")
end = os.open("pipe", os.O_RDWR)
say("get", {GET}"./pipe"))
say("kind", lambda: os.stat("pipe").st_mode >> 12)
""",
        hooked=hooked,
    )

    assert (found["get"][0], found["kind"]) == ("OSError", 1)


def test_an_opened_file_is_of_one_commit(run, repos):
    found = run(f"""
import pathlib, urllib.request
hf_hub_download(MODEL, "config.json"), hf_hub_download(MODEL, WEIGHTS)
fs = HfFileSystem()
fs.open(f"{{MODEL}}/config.json").close()
pathlib.Path({str(repos)!r}, MODEL, WEIGHTS).write_bytes(b"another's")
urllib.request.urlopen(urllib.request.Request(os.environ["HF_ENDPOINT"] + "/__admin__/rescan", method="POST"))
say("read", lambda: fs.open(f"{{MODEL}}/{{WEIGHTS}}").read().decode())
""")

    assert found["read"] == "another's"


STREAM = """
hf_hub_download(MODEL, "config.json")
def stream():
    return HfFileSystem().open(f"{MODEL}/config.json", block_size=0)
import io, pickle
say("what", lambda: [type(stream()).__name__, stream().path, stream().size, stream().fs.protocol])
def parts(file):
    return [file.read(3).decode(), file.tell(), file.read().decode(), file.read().decode()]
say("parts", lambda: parts(stream()))
say("seek", lambda: stream().seek(5))
say("pickled", lambda: pickle.loads(pickle.dumps(stream())).read().decode())
say("text", lambda: io.TextIOWrapper(stream()).read())
say("lines", lambda: [line.decode() for line in stream()])
"""


def test_a_streamed_file_is_the_clients_own(run):
    assert run(STREAM) == run(STREAM, hooked=False)
