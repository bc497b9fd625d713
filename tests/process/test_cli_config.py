"""`config` and `env`: what a user set, where, and nothing secret."""

from __future__ import annotations

import json
import os
import re

import pytest

from ipfs_accelerate_py.config.forms import KEYS

FILE = ".config/ipfs_accelerate/config.toml"
ROUND_TRIPS = {
    # key: (what the user types, what `get` prints, its JSON value)
    "home": ("~/models", "{home}/models", "{home}/models"),
    "node": ("http://127.0.0.1:5001", "http://127.0.0.1:5001", "http://127.0.0.1:5001"),
    "node_auth": ("bearer:t0ken", "bearer:***", "bearer:***"),
    "lower": ("/srv/a:/srv/b", "/srv/a:/srv/b", ["/srv/a", "/srv/b"]),
    "share": ("off", "off", "off"),
    "fleet": ("off", "off", "off"),
    "publish": ("off", "off", "off"),
    "publish_kinds": ("model, dataset", "model,dataset", ["model", "dataset"]),
    "publishers": ("12D3KooWA, 12D3KooWB", "12D3KooWA,12D3KooWB", ["12D3KooWA", "12D3KooWB"]),
    "timeout": ("2.5", "2.5", 2.5),
    "log": ("debug", "DEBUG", "DEBUG"),
    "gateways": ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ["http://127.0.0.1:8080"]),
    "mirrors": ("file:///mnt/a,s3://b/c", "file:///mnt/a,s3://b/c", ["file:///mnt/a", "s3://b/c"]),
    "lock": ("/srv/models.lock", "/srv/models.lock", "/srv/models.lock"),
}


@pytest.fixture
def a(machine):
    """A machine whose store is where the settings say, and not the environment."""
    made = machine("a")
    made.more |= {"IPFS_ACCELERATE_HOME": "", "HF_HOME": ""}
    return made


def expand(value, home):
    return value.format(home=home) if isinstance(value, str) else value


def test_every_setting_is_tried_here():
    assert ROUND_TRIPS.keys() == KEYS.keys()


@pytest.mark.parametrize("key", ROUND_TRIPS)
def test_round_trip(a, key):
    typed, printed, value = ROUND_TRIPS[key]
    done = a.hook("config", "set", key, typed)
    assert (done.returncode, done.stderr) == (0, "") and str(a.home / FILE) in done.stdout
    assert a.hook("config", "get", key).stdout == expand(printed, a.home) + "\n"
    shown = json.loads(a.hook("config", "get", key, "--json").stdout)
    assert shown == {key: {"value": expand(value, a.home), "origin": str(a.home / FILE)}}
    assert a.hook("config", "unset", key).returncode == 0
    assert json.loads(a.hook("config", "get", key, "--json").stdout)[key]["origin"] == "default"
    assert "no change" in a.hook("config", "unset", key).stdout


def test_origins(a):
    a.hook("config", "set", "timeout", "2")
    a.hook("config", "set", "log", "INFO")
    env = {"IPFS_ACCELERATE_LOG": "ERROR"}
    shown = json.loads(a.hook("config", "--json", env=env).stdout)
    assert shown.keys() == KEYS.keys()
    assert shown["timeout"] == {"value": 2.0, "origin": str(a.home / FILE)}
    assert shown["log"] == {"value": "ERROR", "origin": "IPFS_ACCELERATE_LOG"}
    assert shown["publish"] == {"value": "auto", "origin": "default"}
    assert shown["lock"] == {"value": None, "origin": "default"}
    lines = a.hook("config", "--show-origin", env=env).stdout.splitlines()
    assert lines[0].split() == ["SETTING", "VALUE", "FROM"]
    assert [line.split() for line in lines if line.startswith("log ")] == [["log", "ERROR", "IPFS_ACCELERATE_LOG"]]
    assert "FROM" not in a.hook("config").stdout


def test_a_variable_that_hides_the_file_is_named(a):
    done = a.hook("config", "set", "timeout", "2", env={"IPFS_ACCELERATE_TIMEOUT": "9"})
    assert done.returncode == 0 and done.stderr.startswith("Hint: IPFS_ACCELERATE_TIMEOUT ")


def test_settings_take_the_variables_name_too(a):
    assert a.hook("config", "set", "IPFS_ACCELERATE_TIMEOUT", "3").returncode == 0
    assert a.hook("config", "get", "timeout").stdout == "3.0\n"


def test_a_relative_folder_is_kept_from_the_root_on(a):
    a.hook("config", "set", "home", "models")
    assert a.hook("config", "get", "home").stdout == f"{a.home}/models\n"


BAD = {
    "timeout": ("soon", "a number of seconds above 0"),
    "publish": ("maybe", "auto, on or off"),
    "log": ("LOUD", "DEBUG, INFO"),
    "gateways": ("ftp://x", "URLs of HTTP gateways"),
    "mirrors": ("not-a-url", "fsspec URLs"),
    "node": ("/ip4/127.0.0.1/udp/5001", "a multiaddr such as"),
}


@pytest.mark.parametrize("key", BAD)
def test_a_bad_value_is_not_written(a, key):
    value, accepted = BAD[key]
    done = a.hook("config", "set", key, value)
    assert done.returncode == 1 and done.stdout == ""
    error, hint = done.stderr.splitlines()
    assert error.startswith("Error: ") and f"IPFS_ACCELERATE_{key.upper()}='{value}'" in error
    assert hint.startswith("Hint: ") and accepted in hint
    assert not (a.home / FILE).exists()


@pytest.mark.parametrize("key", BAD)
def test_a_bad_value_is_shown(a, key):
    value, accepted = BAD[key]
    for words in (["config"], ["config", "--json"], ["config", "get", key]):
        done = a.hook(*words, env={f"IPFS_ACCELERATE_{key.upper()}": value})
        assert done.returncode == 1
        assert f"Error: IPFS_ACCELERATE_{key.upper()}='{value}' cannot be used" in done.stderr
        assert accepted in done.stderr and (done.stdout == "") is (words != ["config"])


def test_a_bad_value_in_the_file_names_the_file(a):
    (a.home / FILE).parent.mkdir(parents=True)
    (a.home / FILE).write_text("timeout = 'soon'\n")
    done = a.hook("config")
    assert done.returncode == 1 and "'soon'" in done.stderr and str(a.home / FILE) in done.stderr


def test_a_file_that_is_no_toml(a):
    (a.home / FILE).parent.mkdir(parents=True)
    (a.home / FILE).write_text("timeout = \n")
    for words in (["config"], ["config", "set", "log", "INFO"], ["config", "unset", "timeout"]):
        done = a.hook(*words)
        assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
        assert f"Error: {a.home / FILE} is no TOML: " in done.stderr and "Hint: " in done.stderr
    assert (a.home / FILE).read_text() == "timeout = \n"


@pytest.mark.timeout(60)
def test_a_pipe_in_place_of_the_file(a):
    """To read one waits for whoever writes into it."""
    (a.home / FILE).parent.mkdir(parents=True)
    os.mkfifo(a.home / FILE)
    for words in (["config"], ["config", "get", "log"], ["config", "set", "log", "INFO"]):
        done = a.hook(*words, timeout=30)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"Error: {a.home / FILE} cannot be read: it is no regular file\nHint: " in done.stderr
    done = a.hook("status", timeout=30)
    assert done.returncode == 0 and "it is no regular file" in done.stderr


def test_an_unknown_key_in_the_file_is_named_once_with_the_nearest(a):
    (a.home / FILE).parent.mkdir(parents=True)
    (a.home / FILE).write_text("timout = 3\n[table]\n")
    done = a.hook("config", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["timeout"]["origin"] == "default"
    assert f"Hint: 'timout' in {a.home / FILE}: did you mean 'timeout'?" in done.stderr
    assert [done.stderr.count(f"'{name}'") for name in ("timout", "table")] == [1, 1]


WRITTEN = {
    "home": ("models", "{home}/models"),
    "lower": ("a:/srv/b", "{home}/a:/srv/b"),
    "timeout": ("  2.5 ", "2.5"),
    "log": ("debug", "DEBUG"),
    "publishers": (" swarm,, k51a", "swarm,k51a"),
    "gateways": ("http://h:1/", "http://h:1"),
}


@pytest.mark.parametrize("key", WRITTEN)
def test_what_was_written_is_said(a, key):
    typed, written = WRITTEN[key]
    done = a.hook("config", "set", key, typed)
    assert done.stdout == f"{key} = {expand(written, a.home)} written to {a.home / FILE}\n"


def test_the_current_folder_is_gone(a):
    code = (
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "from ipfs_accelerate_py.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    for key in ("home", "lower", "lock"):
        done = a.run(code, "config", "set", key, "models", hooked=False)
        error, hint = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (1, "")
        assert error.startswith("Error: ") and "'models'" in error
        assert hint.startswith("Hint: ") and "the current folder is gone" in hint
        assert a.run(code, "config", "set", key, "/models", hooked=False).returncode == 0
    done = a.run(code, "config", hooked=False, env={"IPFS_ACCELERATE_HOME": "models"})
    assert done.returncode == 1 and "the current folder is gone" in done.stderr and "Errno" not in done.stderr


def test_comments_stay(a):
    (a.home / FILE).parent.mkdir(parents=True)
    (a.home / FILE).write_text("# of the fleet\ntimeout = 1  # disks\nlog = 'INFO'\n")
    a.hook("config", "set", "timeout", "5")
    assert (a.home / FILE).read_text() == "# of the fleet\ntimeout = 5.0  # disks\nlog = 'INFO'\n"


URL = "http://alice:hunter2@127.0.0.1:5001"


def test_passwords_are_never_printed(a):
    done = [a.hook("config", "set", "node", URL), a.hook("config", "set", "gateways", URL)]
    done += [a.hook("config", *words) for words in ([], ["--json"], ["get", "node"], ["get", "gateways", "--json"])]
    done.append(a.hook("config", "set", "node", URL.replace("http", "ftp")))
    done.append(a.hook("config", "get", "gateways", env={"IPFS_ACCELERATE_GATEWAYS": f"{URL},ftp://bob:hunter2@x"}))
    assert not [each for each in done if "hunter2" in each.stdout + each.stderr]
    assert "http://alice:***@127.0.0.1:5001" in done[4].stdout
    assert "hunter2" in (a.home / FILE).read_text()


HIDDEN = {
    "mirrors": "https://h/x?token=hunter2,s3://key:hunter2@bucket",
    "gateways": "http://u:p@hunter2@h:1,http://hunter2@h:2",
    "node": "http://hunter2@127.0.0.1:5001",
}


@pytest.mark.parametrize("key", HIDDEN)
def test_whatever_is_secret_in_a_url_is_not_printed(a, key):
    done = [a.hook("config", *words) for words in (["set", key, HIDDEN[key]], [], ["--json"], ["get", key])]
    assert [each.returncode for each in done] == [0] * 4
    for each in done:
        assert "***" in each.stdout and "hunter2" not in each.stdout + each.stderr
    assert "hunter2" in (a.home / FILE).read_text()


SECRETS = {
    "HF_TOKEN": "hf_abcdefghijk",
    "HUGGING_FACE_HUB_TOKEN": "hunter2",
    "HF_ENDPOINT": "http://alice:hunter2@127.0.0.1:9",
    "IPFS_ACCELERATE_NODE": "https://hunter2@127.0.0.1:9",
    "IPFS_ACCELERATE_GATEWAYS": "http://a:hunter2@127.0.0.1:1,http://b:hunter2@127.0.0.1:2",
    "IPFS_ACCELERATE_MIRRORS": "s3://bucket/models?secret_key=hunter2&region=x",
    "HF_SOMETHING_NEW": "see hf_hunter2hunter2",
    "http_proxy": "bob:hunter2@127.0.0.1:3128",
    "https_proxy": "http://bob:hunter2@127.0.0.1:3128",
}


@pytest.mark.parametrize("words", [["env"], ["env", "--json"]])
def test_env_has_no_secrets(a, words):
    done = a.hook(*words, env={**SECRETS, "AWS_SECRET_ACCESS_KEY": "hunter2"})
    assert done.returncode == 0
    assert "hunter2" not in done.stdout + done.stderr and "abcdefgh" not in done.stdout
    for name in SECRETS:
        assert name in done.stdout
    assert "region=x" in done.stdout and "127.0.0.1:3128" in done.stdout


def test_env_has_what_a_bug_report_needs(a):
    done = a.hook("env", "--json", env={"HF_HUB_OFFLINE": "1", "HF_TOKEN_PATH": "/x/token"})
    report = json.loads(done.stdout)
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", report["ipfs_accelerate_py"])
    assert re.fullmatch(r"\d+\.\d+\S*", report["libraries"]["transformers"])
    assert {"huggingface_hub", "wrapt", "ipfshttpclient", "fsspec", "torch"} <= report["libraries"].keys()
    assert report["environment"]["HF_HUB_OFFLINE"] == "1" and report["environment"]["HF_TOKEN_PATH"] == "/x/token"
    assert report["store"]["path"] == str(a.home / ".cache" / "ipfs_accelerate") and report["store"]["exists"] is False
    assert report["store"]["file_system"]
    assert report["switch"] == {"on": True, "reason": "on by default", "variable": None}
    assert report["startup"].keys() == {"enabled", "files"}
    assert report["python"] and report["platform"]
    text = a.hook("env").stdout
    assert all(f"{name}:" in text for name in report)


def test_env_imports_nothing_heavy(a):
    code = (
        "import sys; from ipfs_accelerate_py.cli.main import main; main(['env', '-q'])\n"
        "print(*{'torch', 'transformers', 'huggingface_hub', 'fsspec'} & {*sys.modules})"
    )
    assert a.run(code, hooked=False).stdout == "\n"
