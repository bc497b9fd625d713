"""One setting changed in config.toml: all other bytes stay."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.config import file
from ipfs_accelerate_py.config.file import change, read_table
from ipfs_accelerate_py.errors import SettingsError

BEFORE = """\
# ours
timeout = 1.5   # slow disks
publishers = [
    "12D3KooWA",  # the first
    # "12D3KooWB",
]
"log" = 'INFO'
node = \"\"\"
timeout = 9\"\"\"

[other]
timeout = 3
"""
# key, value, what is replaced, by what
CHANGES = [
    ("timeout", 2.5, "timeout = 1.5   # slow disks", "timeout = 2.5   # slow disks"),
    ("log", "DEBUG", "\"log\" = 'INFO'", 'log = "DEBUG"'),
    ("publishers", ["a", "b"], BEFORE[BEFORE.index("publishers") : BEFORE.index('"log"')], 'publishers = ["a", "b"]\n'),
    ("publishers", None, BEFORE[BEFORE.index("publishers") : BEFORE.index('"log"')], ""),
    ("timeout", None, "timeout = 1.5   # slow disks\n", ""),
    ("node", None, 'node = """\ntimeout = 9"""\n', ""),
    ("home", "~/models", "[other]", 'home = "~/models"\n[other]'),
]


@pytest.mark.parametrize(("key", "value", "old", "new"), CHANGES)
def test_nothing_else_changes(tmp_path, key, value, old, new):
    path = tmp_path / "config.toml"
    path.write_text(BEFORE)
    assert BEFORE.count(old) == 1
    assert change(path, key, value) is True
    assert path.read_text() == BEFORE.replace(old, new)
    assert read_table(path).get(key) == value
    assert change(path, key, value) is False
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("before", ["", "log = 'INFO'", "log = 'INFO'\n", "# only a comment"])
def test_a_key_is_added_at_the_end(tmp_path, before):
    path = tmp_path / "a" / "config.toml"
    if before:
        path.parent.mkdir()
        path.write_text(before)
    change(path, "timeout", 2.0)
    kept = before + "\n" if before and not before.endswith("\n") else before
    assert path.read_text() == f"{kept}timeout = 2.0\n"


def test_line_ends_stay(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"log = 'INFO'\r\ntimeout = 1 # x\r\n")
    change(path, "timeout", 2.0)
    change(path, "node", "off")
    assert path.read_bytes() == b"log = 'INFO'\r\ntimeout = 2.0 # x\r\nnode = \"off\"\r\n"


@pytest.mark.parametrize("broken", ["timeout = \n", "timeout 3", "a = 1\na = 2", "log = 'INFO' x"])
def test_a_file_that_is_no_toml_is_left_alone(tmp_path, broken):
    path = tmp_path / "config.toml"
    path.write_text(broken)
    with pytest.raises(SettingsError, match=r"config\.toml is no TOML: .*(line|end of document)"):
        change(path, "timeout", 2.0)
    assert path.read_text() == broken


def test_a_file_in_another_encoding_is_left_alone(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"home = '/mod\xe8les'\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        change(path, "timeout", 2.0)
    assert path.read_bytes() == b"home = '/mod\xe8les'\n"


@pytest.mark.timeout(60)
def test_a_pipe_is_left_alone(tmp_path):
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="it is no regular file"):
        change(path, "timeout", 2.0)
    assert path.is_fifo()


def test_no_device_is_replaced(tmp_path, monkeypatch):
    """A link to os.devnull is a way to have no settings: it can be read."""
    monkeypatch.setattr(file, "replace_file", lambda *_, **__: pytest.fail("it was replaced"))
    path = tmp_path / "config.toml"
    path.symlink_to(os.devnull)
    assert read_table(path) == {}
    with pytest.raises(SettingsError, match="it is no regular file"):
        change(path, "timeout", 2.0)


def test_what_cannot_be_changed_safely_is_left_alone(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("timeout.a = 1\ntimeout.b = 2\n")  # TOML, though no setting of ours
    with pytest.raises(SettingsError, match="cannot be changed safely"):
        change(path, "timeout", 2.0)
    assert path.read_text() == "timeout.a = 1\ntimeout.b = 2\n"


def test_modes_and_links(tmp_path):
    path, link = tmp_path / "real.toml", tmp_path / "config.toml"
    link.symlink_to(path.name)
    change(link, "timeout", 2.0)
    assert path.stat().st_mode & 0o777 == 0o600 and link.is_symlink()
    path.chmod(0o640)
    change(link, "timeout", 3.0)
    assert path.stat().st_mode & 0o777 == 0o640 and read_table(path) == {"timeout": 3.0}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        change(tmp_path / "file" / "config.toml", "timeout", 2.0)
    assert os.listdir(tmp_path) == ["file"]


@given(st.text(), st.lists(st.text()))
def test_any_text_comes_back(tmp_path_factory, text, texts):
    path = tmp_path_factory.mktemp("any") / "config.toml"
    path.write_text("timeout = 1 # a \"comment\" with 'quotes' and = # signs\n[table]\nhome = 1\n")
    if any("\ud800" <= char <= "\udfff" for char in text + "".join(texts)):
        return
    change(path, "home", text)
    change(path, "publishers", texts)
    assert read_table(path) == {"timeout": 1, "home": text, "publishers": texts, "table": {"home": 1}}
