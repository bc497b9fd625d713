"""doctor on the settings and the switch: each bad value, and what its hint does."""

import os

import pytest

from ipfs_accelerate_py.config.settings import PREFIX, read_settings
from ipfs_accelerate_py.doctor import environment
from ipfs_accelerate_py.doctor.check import run


@pytest.fixture
def bare(monkeypatch, tmp_path):
    for name in [*os.environ]:
        if name.startswith(PREFIX) or name in ("XDG_CONFIG_HOME", "CI"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config" / "ipfs_accelerate" / "config.toml"
    file.parent.mkdir(parents=True)
    return file


def test_settings_that_are_well(bare, monkeypatch):
    assert environment.check_settings().detail == "from the defaults alone"
    monkeypatch.setenv("IPFS_ACCELERATE_TIMEOUT", "2")
    bare.write_text('publish = "off"\n')
    found = environment.check_settings()
    assert found.ok and "IPFS_ACCELERATE_TIMEOUT" in found.detail and str(bare) in found.detail


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("TIMEOUT", "soon"),
        ("PUBLISH", "perhaps"),
        ("NODE", "ftp://host"),
        ("GATEWAYS", "http://a:1,ftp://b"),
        ("MIRRORS", "somewhere"),
        ("LOG", "LOUD"),
    ],
)
def test_a_bad_value_and_what_its_hint_does(key, value, bare, monkeypatch):
    monkeypatch.setenv(PREFIX + key, value)
    found = environment.check_settings()
    assert not found.ok and PREFIX + key in found.detail and found.hint.startswith(f"unset {PREFIX}{key}")
    monkeypatch.delenv(PREFIX + key)
    assert environment.check_settings().ok


def test_all_bad_values_are_named_at_once_and_no_password(bare, monkeypatch):
    monkeypatch.setenv("IPFS_ACCELERATE_TIMEOUT", "soon")
    monkeypatch.setenv("IPFS_ACCELERATE_NODE", "ftp://alice:secret@host")
    bare.write_text('publish = "perhaps"\ncolour = "red"\n')
    (row,) = [each.to_dict() for each in run(environment.checks(read_settings())[:1])]
    for word in ("TIMEOUT", "NODE", "PUBLISH", "colour"):
        assert word in row["detail"]
    assert "config set publish" in row["hint"] and "secret" not in str(row)


def test_a_settings_file_that_cannot_be_read(bare):
    bare.write_text("timeout = = 2")
    found = environment.check_settings()
    assert not found.ok and str(bare) in found.detail and f"rm {bare}" in found.hint
    bare.unlink()
    assert environment.check_settings().ok


def test_a_variable_that_nothing_reads(bare, monkeypatch):
    monkeypatch.setenv("IPFS_ACCELERATE_PUBLISHER", "swarm")
    found = environment.check_settings()
    assert not found.ok and "set IPFS_ACCELERATE_PUBLISHERS instead" in found.hint


@pytest.mark.parametrize("name", ["CI", "IPFS_KIT_DISABLE", "TRANSFORMERS_PATCH_DISABLE", "IPFS_ACCELERATE"])
def test_the_switch(name, bare, monkeypatch):
    for each in ("IPFS_ACCELERATE", "IPFS_KIT_DISABLE", "TRANSFORMERS_PATCH_DISABLE"):
        monkeypatch.delenv(each, raising=False)
    assert environment.check_switch().ok
    monkeypatch.setenv(name, "0" if name == "IPFS_ACCELERATE" else "1")
    found = environment.check_switch()
    assert not found.ok and name in found.detail and f"unset {name}" in found.hint
    monkeypatch.setenv("IPFS_ACCELERATE", "1")
    assert environment.check_switch().ok
