"""The switch, as a table."""

import pytest

from ipfs_accelerate_py.config.settings import read_switch

SWITCH = [
    # environment, on, scoped, the variable that decided
    ({}, True, False, None),
    ({"IPFS_ACCELERATE": "1"}, True, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "yes"}, True, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "0"}, False, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "false"}, False, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "no"}, False, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": " OFF "}, False, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": ""}, True, False, None),
    ({"IPFS_ACCELERATE": "  "}, True, False, None),
    ({"IPFS_ACCELERATE": "scoped"}, True, True, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "Scoped"}, True, True, "IPFS_ACCELERATE"),
    ({"TRANSFORMERS_PATCH_DISABLE": "1"}, False, False, "TRANSFORMERS_PATCH_DISABLE"),
    ({"TRANSFORMERS_PATCH_DISABLE": "true"}, False, False, "TRANSFORMERS_PATCH_DISABLE"),
    ({"TRANSFORMERS_PATCH_DISABLE": "0"}, True, False, None),
    ({"TRANSFORMERS_PATCH_DISABLE": ""}, True, False, None),
    ({"IPFS_KIT_DISABLE": "1"}, False, False, "IPFS_KIT_DISABLE"),
    ({"IPFS_KIT_DISABLE": "anything"}, False, False, "IPFS_KIT_DISABLE"),
    ({"IPFS_KIT_DISABLE": "False"}, True, False, None),
    ({"CI": "true"}, False, False, "CI"),
    ({"CI": "woodpecker"}, False, False, "CI"),
    ({"CI": ""}, True, False, None),
    ({"CI": "0"}, True, False, None),
    ({"CI": "false"}, True, False, None),
    ({"CI": "NO"}, True, False, None),
    ({"CI": "off"}, True, False, None),
    # STORAGE_FORCE_LOCAL keeps the hook
    ({"STORAGE_FORCE_LOCAL": "1"}, True, False, None),
    # whose word counts
    ({"IPFS_ACCELERATE": "1", "TRANSFORMERS_PATCH_DISABLE": "1"}, True, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "1", "IPFS_KIT_DISABLE": "1"}, True, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "1", "CI": "true"}, True, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "scoped", "CI": "true"}, True, True, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "0", "CI": "0"}, False, False, "IPFS_ACCELERATE"),
    ({"IPFS_ACCELERATE": "", "CI": "true"}, False, False, "CI"),
    ({"TRANSFORMERS_PATCH_DISABLE": "1", "IPFS_KIT_DISABLE": "1"}, False, False, "TRANSFORMERS_PATCH_DISABLE"),
    ({"TRANSFORMERS_PATCH_DISABLE": "0", "IPFS_KIT_DISABLE": "1"}, False, False, "IPFS_KIT_DISABLE"),
    ({"TRANSFORMERS_PATCH_DISABLE": "1", "CI": "true"}, False, False, "TRANSFORMERS_PATCH_DISABLE"),
    ({"IPFS_KIT_DISABLE": "1", "CI": "true"}, False, False, "IPFS_KIT_DISABLE"),
    ({"IPFS_KIT_DISABLE": "0", "CI": "true"}, False, False, "CI"),
]


def identify(value):
    if isinstance(value, dict):
        return ",".join(f"{name}={text}" for name, text in value.items()) or "nothing"
    return None


@pytest.mark.parametrize(("environ", "on", "scoped", "variable"), SWITCH, ids=identify)
def test_switch(environ, on, scoped, variable):
    switch = read_switch(environ)
    assert (switch.on, switch.scoped, switch.variable) == (on, scoped, variable)
    assert switch.reason


def test_switch_is_asked_anew_at_each_call(monkeypatch):
    for name in ("TRANSFORMERS_PATCH_DISABLE", "IPFS_KIT_DISABLE", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPFS_ACCELERATE", "0")
    assert not read_switch().on
    monkeypatch.setenv("IPFS_ACCELERATE", "1")
    assert read_switch().on


def test_every_change_of_the_environment_is_seen(monkeypatch):
    for name in ("IPFS_ACCELERATE", "TRANSFORMERS_PATCH_DISABLE", "IPFS_KIT_DISABLE", "CI"):
        monkeypatch.delenv(name, raising=False)
    for environment, *expected in SWITCH * 2:
        with monkeypatch.context() as now:
            for name, value in environment.items():
                now.setenv(name, value)
            found = read_switch()
            assert [found.on, found.scoped, found.variable] == expected, environment
        assert read_switch().variable is None


def test_a_mapping_in_the_place_of_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("IPFS_ACCELERATE", "1")
    assert read_switch().on
    monkeypatch.setattr("os.environ", {"IPFS_ACCELERATE": "0"})
    assert not read_switch().on
