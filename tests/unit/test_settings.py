"""The settings, as tables."""

import logging
import os
from pathlib import Path

import pytest

from ipfs_accelerate_py.config import forms, settings
from ipfs_accelerate_py.config.settings import read_setting, read_settings
from ipfs_accelerate_py.errors import SettingsError
from ipfs_accelerate_py.session import session


def identify(value):
    if isinstance(value, dict):
        return ",".join(f"{name}={text}" for name, text in value.items()) or "nothing"
    return None


@pytest.fixture
def write_file(home):
    def write(text):
        settings.config_file().parent.mkdir(parents=True, exist_ok=True)
        settings.config_file().write_bytes(text if isinstance(text, bytes) else text.encode())
        session.reset()  # two writes within one tick of the file's clock

    return write


VALUES = [
    # key, its text, what is read, its default
    ("home", "/srv/models", Path("/srv/models"), "{home}/.cache/ipfs_accelerate"),
    ("home", "~/models", "{home}/models", "{home}/.cache/ipfs_accelerate"),
    ("node", "/ip4/127.0.0.1/tcp/5001", "/ip4/127.0.0.1/tcp/5001", "auto"),
    ("node_auth", "basic:us er:pass", "basic:us er:pass", ""),
    ("node", "off", "off", "auto"),
    ("lower", f"/a{os.pathsep}~/b", (Path("/a"), "{home}/b"), ("{home}/.cache/huggingface/hub",)),
    ("share", "off", "off", "on"),
    ("share", "on", "on", "on"),
    ("fleet", "off", "off", "on"),
    ("publish", "on", "on", "auto"),
    ("publish", "off", "off", "auto"),
    ("publish_kinds", "model, dataset", ("model", "dataset"), ("model",)),
    ("publish_kinds", "space", ("space",), ("model",)),
    (
        "publishers",
        "k51abc, 12D3xyz,,swarm, models.example.org",
        ("k51abc", "12D3xyz", "swarm", "models.example.org"),
        (),
    ),
    ("timeout", "0.25", 0.25, 1.0),
    ("log", "debug", "DEBUG", "WARNING"),
    ("gateways", "http://127.0.0.1:8080/, https://peer", ("http://127.0.0.1:8080", "https://peer"), ()),
    ("mirrors", "file:///mnt/models,s3://bucket/m/", ("file:///mnt/models", "s3://bucket/m"), ()),
    ("lock", "/srv/models.lock", Path("/srv/models.lock"), None),
]


def expand(value, home):
    if isinstance(value, tuple):
        return tuple(expand(each, home) for each in value)
    if isinstance(value, str) and "{home}" in value:
        return Path(value.format(home=home))
    return value


@pytest.mark.parametrize(("key", "text", "expected", "default"), VALUES)
def test_environment_over_file_over_default(home, write_file, monkeypatch, key, text, expected, default):
    expected, default = expand(expected, home), expand(default, home)
    assert getattr(read_settings(), key) == default
    write_file(f'{key} = "{text}"\n')
    assert getattr(read_settings(), key) == expected
    other = {
        "timeout": "9",
        "log": "ERROR",
        "publish": "auto",
        "publish_kinds": "model",
        "share": "on" if text == "off" else "off",
        "gateways": "http://o",
        "mirrors": "s3://o",
        "publishers": "QmX",
        "node_auth": "bearer:other",
    }.get(key, "/other")
    write_file(f'{key} = "{other}"\n')
    monkeypatch.setenv(f"IPFS_ACCELERATE_{key.upper()}", text)
    assert getattr(read_settings(), key) == expected
    assert read_setting(key) == expected


def test_every_setting_is_in_the_table():
    assert {row[0] for row in VALUES} == set(forms.KEYS)


def test_an_empty_variable_is_none(home, monkeypatch):
    monkeypatch.setenv("IPFS_ACCELERATE_TIMEOUT", "")
    assert read_settings().timeout == 1.0


OLD = ".cache/ipfs_accelerate"
STORES = [
    # the environment, the folders that are there, the store, the lower tiers
    ({}, [OLD], "{home}/" + OLD, ["{home}/.cache/huggingface/hub"]),
    ({"XDG_CACHE_HOME": "/c"}, [], "{home}/" + OLD, ["/c/huggingface/hub"]),
    ({"HF_HOME": ""}, [], "{home}/" + OLD, ["{home}/.cache/huggingface/hub"]),
    ({"HF_HOME": "/v"}, [], "/v/ipfs_accelerate", ["/v/hub"]),
    ({"HF_HOME": "~/v"}, [], "{home}/v/ipfs_accelerate", ["{home}/v/hub"]),
    ({"HF_HOME": "$HOME/v"}, [], "{home}/v/ipfs_accelerate", ["{home}/v/hub"]),
    ({"HF_HOME": "/v"}, [OLD], "/v/ipfs_accelerate", ["/v/hub", "{home}/" + OLD]),
    ({"HF_HOME": "~/.cache"}, [OLD], "{home}/" + OLD, ["{home}/.cache/hub"]),
    ({"HF_HOME": "/v", "HF_HUB_CACHE": "/h"}, [OLD], "/v/ipfs_accelerate", ["/h", "{home}/" + OLD]),
    ({"HF_HOME": "/v", "IPFS_ACCELERATE_LOWER": "/l"}, [OLD], "/v/ipfs_accelerate", ["/l", "{home}/" + OLD]),
    ({"HF_HOME": "/v", "IPFS_ACCELERATE_LOWER": "~/" + OLD}, [OLD], "/v/ipfs_accelerate", ["{home}/" + OLD]),
    ({"HF_HOME": "/v", "IPFS_ACCELERATE_HOME": "/s"}, [OLD], "/s", ["/v/hub"]),
]


@pytest.mark.parametrize(("environment", "there", "store", "lower"), STORES, ids=identify)
def test_the_store_lies_in_hf_home_and_the_earlier_one_below_it(home, monkeypatch, environment, there, store, lower):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for folder in there:
        (home / folder).mkdir(parents=True)
    read = read_settings()
    assert str(read.home) == store.format(home=home)
    assert [str(folder) for folder in read.lower] == [folder.format(home=home) for folder in lower]


@pytest.mark.parametrize(("text", "on"), [("1", True), ("true", True), ("0", False), ("", False), ("off", False)])
def test_force_local(home, monkeypatch, text, on):
    monkeypatch.setenv("STORAGE_FORCE_LOCAL", text)
    assert read_settings().force_local is on


def test_the_file_in_toml_of_its_own_kinds(home, write_file, caplog):
    write_file('timeout = 3\npublishers = ["k51a", "k51b"]\nlower = ["/a", "/b"]\n')
    read = read_settings()
    assert read.timeout == 3.0
    assert read.publishers == ("k51a", "k51b")
    assert read.lower == (Path("/a"), Path("/b"))
    assert not caplog.records


def test_a_changed_file_is_read_again(home, write_file):
    write_file("timeout = 2\n")
    assert read_settings().timeout == 2
    path = settings.config_file()
    path.write_text("timeout = 4\n")
    os.utime(path, (1, 1))
    assert read_settings().timeout == 4
    path.unlink()
    assert read_settings().timeout == 1.0


BAD = [
    # key, its text, a word of the accepted form
    ("share", "no", "on or off"),
    ("publish", "maybe", "auto, on or off"),
    ("publish", "True", "auto, on or off"),
    ("publish_kinds", "models", "model, dataset and space"),
    ("publish_kinds", "model,kernel", "model, dataset and space"),
    ("timeout", "soon", "seconds"),
    ("timeout", "0", "seconds"),
    ("timeout", "-1", "seconds"),
    ("timeout", "nan", "seconds"),
    ("timeout", "inf", "seconds"),
    ("timeout", "1e9", "seconds"),
    ("log", "loud", "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    ("home", "~nobody-of-that-name/models", "folder"),
    ("lower", "~nobody-of-that-name/models", "folder"),
    ("gateways", "127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("gateways", "ftp://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("gateways", "http://127.0.0.1:port", "http://127.0.0.1:8080"),
    ("mirrors", "/mnt/models", "file:///mnt/models"),
    ("mirrors", "S3:bucket", "s3://bucket/models"),
    ("publishers", "/ip4/10.0.0.2/tcp/4001/p2p/12D3KooWA", "peer ids"),
    ("publishers", "http://10.0.0.2:8080", "peer ids"),
    ("publishers", "swarn", "or swarm"),
]


@pytest.mark.parametrize("origin", ["environment", "file"])
@pytest.mark.parametrize(("key", "text", "form"), BAD)
def test_a_bad_value_is_the_default_and_one_warning(home, write_file, monkeypatch, caplog, key, text, form, origin):
    good = read_settings()
    variable = f"IPFS_ACCELERATE_{key.upper()}"
    if origin == "file":
        write_file(f'{key} = "{text}"\n')
    else:
        monkeypatch.setenv(variable, text)
    for _ in range(3):
        assert read_settings() == good
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    for part in (variable, text, form):
        assert part in record.getMessage()
    with pytest.raises(SettingsError) as caught:
        read_setting(key)
    assert variable in str(caught.value) and text in str(caught.value)
    assert form in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [b"timeout = ", b"= 1", b"\xff\xfe", b"x = [" + b"[" * 100_000, b"\x00"],
    ids=["half", "no key", "not text", "deep", "NUL"],
)
def test_a_file_that_cannot_be_read_is_one_warning(write_file, caplog, content):
    write_file(content)
    for _ in range(3):
        assert read_settings().timeout == 1.0
    [record] = caplog.records
    assert str(settings.config_file()) in record.getMessage()


def test_a_folder_in_place_of_the_file(home, caplog):
    settings.config_file().mkdir(parents=True)
    assert read_settings().timeout == 1.0
    assert len(caplog.records) == 1


@pytest.mark.timeout(60)
def test_a_pipe_in_place_of_the_file(home, caplog):
    """To read it waits for whoever writes into it."""
    settings.config_file().parent.mkdir(parents=True)
    os.mkfifo(settings.config_file())
    for _ in range(3):
        assert read_settings().timeout == 1.0
    [record] = caplog.records
    assert "cannot be read (it is no regular file)" in record.getMessage()


def test_no_file_on_purpose(home, caplog):
    settings.config_file().parent.mkdir(parents=True)
    settings.config_file().symlink_to(os.devnull)
    assert read_settings().timeout == 1.0 and not caplog.records


def test_the_current_folder_is_gone(home, tmp_path, monkeypatch, caplog):
    """A lock file that was asked for is not forgotten, and a store is somewhere."""
    monkeypatch.setenv("IPFS_ACCELERATE_LOCK", "models.lock")
    monkeypatch.setenv("IPFS_ACCELERATE_HOME", "models")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert read_settings().lock == Path("models.lock")
    assert read_settings().home == home / ".cache" / "ipfs_accelerate"
    [record] = caplog.records
    assert "the current folder is gone" in record.getMessage()


def test_settings_are_those_of_the_moment(home, tmp_path, monkeypatch):
    assert read_settings() is read_settings()
    monkeypatch.setenv("IPFS_ACCELERATE_HOME", "models")
    monkeypatch.chdir("/")
    assert read_settings().home == Path("/models")
    monkeypatch.chdir(tmp_path)
    assert read_settings().home == tmp_path / "models"
    for name, value, key in [
        ("IPFS_ACCELERATE_TIMEOUT", "3", "timeout"),
        ("STORAGE_FORCE_LOCAL", "1", "force_local"),
        ("HF_HOME", "/elsewhere", "lower"),
        ("IPFS_ACCELERATE_HOME", "", "home"),
        ("HF_HOME", "", "home"),
        ("HOME", "/nowhere", "home"),
    ]:
        before = read_settings()
        monkeypatch.setenv(name, value)
        assert getattr(read_settings(), key) != getattr(before, key), name


def test_an_unknown_key_is_named_once(write_file, caplog):
    write_file("timeuot = 3\ntimeout = 2\n")
    for _ in range(3):
        assert read_settings().timeout == 2
    [record] = caplog.records
    assert "timeuot" in record.getMessage() and "timeout" in record.getMessage()


def test_of_a_list_only_the_bad_ones_are_left_out(home, monkeypatch, caplog):
    monkeypatch.setenv("IPFS_ACCELERATE_GATEWAYS", "http://one, two, https://three")
    assert read_settings().gateways == ("http://one", "https://three")
    assert len(caplog.records) == 1
