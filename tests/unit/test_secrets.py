"""Passwords, tokens and signatures in texts that are shown."""

import pytest

from ipfs_accelerate_py.config.forms import without_secrets
from ipfs_accelerate_py.errors import SettingsError
from ipfs_accelerate_py.ipfs.address import node_address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://alice:secret@host/x", "https://alice:***@host/x"),
        ("http://u:p@ss@h:1", "http://u:***@h:1"),
        ("http://a@b:secret@h", "http://***@b:***@h"),
        ("http://u:pa/ss@h:1/x", "http://u:***@h:1/x"),
        ("http://u:pa?s#s@h:1", "http://u:***@h:1"),
        ("u:p@ss@h:1", "u:***@h:1"),
        ("http://token@h:1", "http://***@h:1"),
        ("token@h:1", "***@h:1"),
        ("http://a:secret@h:1,http://b:se@cret@h:2", "http://a:***@h:1,http://b:***@h:2"),
        ("http://h:1,http://h:2/a@b,http://[::1]:3/a@b", "http://h:1,http://h:2/a@b,http://[::1]:3/a@b"),
        ("at http://token@host/ and s3://key:hush@bucket", "at http://***@host/ and s3://key:***@bucket"),
        ("https://h/x?X-Amz-Signature=abc&a=1", "https://h/x?X-Amz-Signature=***&a=1"),
        ("https://h/x?token=a,b,https://h/y?pwd=c", "https://h/x?token=***,https://h/y?pwd=***"),
        ("https://h/x?API_KEY=abc#top", "https://h/x?API_KEY=***"),
        ("sent hf_abcdefghijklmnop", "sent hf_***"),
        ("unset HF_ENDPOINT", "unset HF_ENDPOINT"),
        ("/ip4/127.0.0.1/tcp/5001 at 10:30 by a@b", "/ip4/127.0.0.1/tcp/5001 at 10:30 by a@b"),
        ("gpt2@main is not known; file:///a@b", "gpt2@main is not known; file:///a@b"),
        ("/srv/a:b@c", "/srv/a:b@c"),
        (r"C:\models@2", r"C:\models@2"),
    ],
)
def test_secrets_in_a_text(text, shown):
    assert without_secrets(text) == shown


def test_a_password_is_not_printed(home):
    with pytest.raises(SettingsError) as caught:
        node_address("http://user:secret@127.0.0.1:port")
    assert "secret" not in str(caught.value) + str(caught.value.hint)
