"""docs/troubleshooting.md has every message of ours, in its own words."""

import re
from pathlib import Path

from tests.support.messages import messages

PAGE = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md"


def page():
    """The page as one line, without its marks."""
    return " ".join(re.sub(r"[`|\\]", "", PAGE.read_text()).split())


def test_the_reader_finds_messages_of_every_kind():
    found = messages()
    for text in (
        "the store ... cannot be written: ...",  # an f-string, in an error
        "free some space or make the folder writable, or name another one in IPFS_ACCELERATE_HOME",  # its hint
        "... gave wrong bytes for ... (...): refused",  # a format with %s, in a warning
        "the hook is off because of ...; running plain Python",  # what `run` says
        "the node is connected to no peer",  # what doctor finds
        "start it with 'ipfs daemon', or set IPFS_ACCELERATE_NODE to its RPC address, or to off",  # by a variable
        "it is longer than 1024 bytes",  # what a function returns
    ):
        assert text in found, text
    assert len(found) > 100


def test_each_message_is_in_the_page():
    text = page()
    missing = {message: where for message, where in messages().items() if message not in text}
    lines = "\n".join(f"    | `{message}` |  |      <- {where}" for message, where in missing.items())
    assert not missing, f"docs/troubleshooting.md lacks {len(missing)} messages; add such lines to its tables:\n{lines}"


def test_what_nobody_says_any_more_is_not_in_the_page():
    """Each message that the page quotes in the first column stands in the source."""
    said = set(messages(0))
    quoted = re.findall(r"^\| `(.+?)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(quoted) > 50
    gone = [each for each in quoted if " ".join(each.replace("\\|", "|").split()) not in said]
    assert not gone, "nobody says this any more: take it out of docs/troubleshooting.md"
