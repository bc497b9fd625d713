"""doctor on the Hub and the clock: well, dead, silent, refusing, offline, and something else than a Hub."""

import email.utils
import time
from dataclasses import replace

import pytest
from huggingface_hub import constants

from ipfs_accelerate_py.config.settings import read_settings
from ipfs_accelerate_py.doctor import network
from ipfs_accelerate_py.doctor.check import run
from tests.support.local_hub import LocalHub
from tests.support.small_server import serve, silence

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def settings(monkeypatch, tmp_path):
    for name in ("STORAGE_FORCE_LOCAL", "IPFS_ACCELERATE_GATEWAYS", "IPFS_ACCELERATE_MIRRORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return replace(read_settings(), timeout=5.0)


@pytest.fixture
def endpoint(monkeypatch):
    """Sets where the Hub is."""
    return lambda url: monkeypatch.setattr(constants, "ENDPOINT", url)


def ask_hub(settings):
    """{name: row} of `hub` and `clock`."""
    return {row.name: row.to_dict() for row in run(network.checks(settings))}


@pytest.mark.lines
def test_a_hub_that_is_well_is_asked_once_and_without_a_token(settings, endpoint, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    with LocalHub(tokens={"hf_alice": "alice"}) as hub:
        endpoint(hub.endpoint)
        rows = ask_hub(settings)
    assert rows["hub"]["ok"] and hub.endpoint in rows["hub"]["detail"]
    assert rows["clock"]["ok"] and "the Hub" in rows["clock"]["detail"]
    assert [row["auth"] for row in hub.log] == [False]


@pytest.mark.lines
def test_nobody_answers(settings, endpoint):
    endpoint(NOBODY)
    rows = ask_hub(settings)
    assert not rows["hub"]["ok"] and NOBODY in rows["hub"]["detail"] and "HF_ENDPOINT" in rows["hub"]["hint"]
    assert not rows["clock"]["ok"] and "not tested" in rows["clock"]["detail"]


def test_a_hub_that_hangs(settings, endpoint):
    began = time.monotonic()
    with silence() as url:
        endpoint(url)
        rows = ask_hub(settings)
    assert not rows["hub"]["ok"] and url in rows["hub"]["detail"] and rows["hub"]["hint"]
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("status", [503, 429, 401])
def test_a_hub_that_refuses(status, settings, endpoint):
    with LocalHub() as hub:
        hub.fault(status=status)
        endpoint(hub.endpoint)
        rows = ask_hub(settings)
    assert not rows["hub"]["ok"] and str(status) in rows["hub"]["detail"] and rows["hub"]["hint"]
    assert rows["clock"]["ok"]  # it told the time all the same


def test_a_web_server_that_is_no_hub(settings, endpoint):
    with serve(lambda path, headers: (200, {}, b"<!doctype html>Welcome")) as url:
        endpoint(url)
        row = ask_hub(settings)["hub"]
    assert not row["ok"] and "not a Hub" in row["detail"] and "HF_ENDPOINT" in row["hint"]


def test_a_slow_hub_is_well_and_the_setting_is_named(settings, endpoint):
    with LocalHub(latency=0.4) as hub:
        endpoint(hub.endpoint)
        row = ask_hub(replace(settings, timeout=0.1))["hub"]
    assert row["ok"] and "only after" in row["detail"] and "IPFS_ACCELERATE_TIMEOUT" in row["hint"]


def test_offline_mode_is_no_failure_and_asks_nobody(settings, endpoint, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with LocalHub() as hub:
        endpoint(hub.endpoint)
        rows = ask_hub(settings)
    assert rows["hub"]["ok"] and "offline" in rows["hub"]["detail"] and rows["clock"]["ok"] and not hub.log


@pytest.mark.parametrize("minutes", [-60, -6, -1, 1, 6, 60])
def test_the_clock(minutes, settings, endpoint):
    theirs = email.utils.formatdate(time.time() - 60 * minutes, usegmt=True)
    with serve(lambda path, headers: (200, {}, b"[]"), date=theirs) as url:
        endpoint(url)
        row = ask_hub(settings)["clock"]
    assert row["ok"] is (abs(minutes) < 5)
    if not row["ok"]:
        assert ("ahead of" if minutes > 0 else "behind") in row["detail"]
        assert f"{abs(minutes)} minutes" in row["detail"] and "timedatectl" in row["hint"]


def test_a_gateway_tells_the_time_when_the_hub_does_not(settings, endpoint):
    endpoint(NOBODY)
    theirs = email.utils.formatdate(time.time() - 7200, usegmt=True)
    with serve(lambda path, headers: (200, {}, b""), date=theirs) as url:
        row = ask_hub(replace(settings, gateways=(url,)))["clock"]
    assert not row["ok"] and "120 minutes" in row["detail"] and url in row["detail"]
