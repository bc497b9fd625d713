"""What 0.1.0 wrote is read as before: a store, a settings file, a lock file, startup files; see tests/data/0.1.0."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ipfs_accelerate_py.store.store import Store
from tests.support.local_hub import LocalHub

DATA = Path(__file__).resolve().parents[1] / "data" / "0.1.0"
TINY, CLOSED, HEARD = "acme/tiny", "acme/closed", "acme/heard"
FIRST, SECOND = "93d469a31e3cd0c0dbba7215afa40b3ffb370bf3", "bfdb81653628aec2fc5cb73cedacd01e02925c03"
LOAD = """
from transformers import AutoConfig, AutoModel, AutoTokenizer
for revision in sys.argv[1:]:
    words = AutoTokenizer.from_pretrained("acme/tiny", revision=revision)("the quick fox")["input_ids"]
    size = AutoModel.from_pretrained("acme/tiny", revision=revision).num_parameters()
    note = getattr(AutoConfig.from_pretrained("acme/tiny", revision=revision), "note", None)
    print(words, size, note)
"""


def copy(name, target):
    shutil.copytree(DATA / name, target, symlinks=True)


@pytest.fixture
def hub(tmp_path):
    """A Hub that has come to the second commit in the same way, and has got a third since."""
    snapshots, files = DATA / "store" / "models--acme--tiny" / "snapshots", tmp_path / "hub" / TINY
    shutil.copytree(snapshots / FIRST, files)
    with LocalHub(tmp_path / "hub") as running:
        assert running.repos["models", TINY].refs["main"] == FIRST
        shutil.copy(snapshots / SECOND / "config.json", files)
        running.scan()
        assert running.repos["models", TINY].refs["main"] == SECOND
        (files / "config.json").write_text("{}")
        running.scan()
        yield running


@pytest.fixture
def a(machine):
    """A machine with that store, and nobody to ask."""
    made = machine("a")
    copy("store", made.store)
    return made


def said(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_models_load_while_the_hub_is_away(a):
    done = a.run("import sys" + LOAD, "main", FIRST)
    assert done.returncode == 0, done.stderr
    loaded = "[2, 5, 6, 8, 3] 276"
    assert done.stdout.splitlines() == [f"{loaded} second", f"{loaded} None"]
    assert a.hook("fetch", TINY, HEARD, CLOSED).returncode == 0


def test_ls_verify_and_gc(a):
    rows = said(a.hook("ls", "--json"))
    assert all(row["complete"] and row["tier"] == "store" for row in rows)
    assert [(row["repo"], row["refs"], row["files"], row["published"]) for row in rows] == [
        (CLOSED, ["main"], 1, False),
        (HEARD, ["main"], 1, True),
        (TINY, [], 5, False),
        (TINY, ["main"], 5, True),
    ]
    assert sum(row["disk"] for row in rows) == sum(path.stat().st_size for path in a.store.glob("*/blobs/*"))
    assert said(a.hook("verify", "--json")) == {"ok": True, "files": 12, "bad": []}
    found = said(a.hook("gc", "--dry-run", "--json"))
    assert (found["removed"], found["freed"]) == ([], 0)
    assert {row["commit"] for row in found["kept"]} == {row["commit"] for row in rows}
    found = said(a.hook("gc", "--dry-run", "--older-than", "0h", "--json"))
    assert {row["repo"] for row in found["removed"]} == {TINY, CLOSED}
    # nobody says that the node has dropped its references
    kept = {row["repo"]: row["reason"] for row in found["kept"]}
    assert kept == dict.fromkeys((HEARD, TINY), "published, and the node does not answer")


def test_damage_is_found_and_repaired(a, hub):
    (weights,) = a.store.glob(f"models--acme--tiny/snapshots/{SECOND}/model.safetensors")
    good = weights.read_bytes()
    weights.resolve().write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    found = a.hook("verify", "--json")
    assert found.returncode == 3
    assert [(row["commit"], row["path"]) for row in json.loads(found.stdout)["bad"]] == [
        (commit, "model.safetensors") for commit in (FIRST, SECOND)
    ]
    a.hub = hub
    assert a.hook("verify", TINY, "--repair").returncode == 0
    assert weights.read_bytes() == good


def test_what_was_known_from_a_publisher_alone(machine):
    """It is still remembered as such, and still no word of the Hub's."""
    b = machine("b")
    copy("heard", b.store)
    store = Store(b.store)
    assert store.is_unconfirmed(HEARD, "refs/main") and store.read_ref(HEARD, "main")
    assert [row["refs"] for row in said(b.hook("ls", "--json"))] == [["main"]]
    assert said(b.hook("verify", "--json"))["ok"]
    assert not Store(DATA / "store").is_unconfirmed(HEARD, "refs/main")


def test_the_settings_file(machine):
    a = machine("a")
    file = a.home / ".config" / "ipfs_accelerate" / "config.toml"
    file.parent.mkdir(parents=True)
    shutil.copy(DATA / "config.toml", file)
    rows = said(a.hook("config", "--json", env={"IPFS_ACCELERATE_HOME": "", "HF_HOME": ""}))
    assert {key: row["value"] for key, row in rows.items() if row["origin"] == str(file)} == {
        "home": "/srv/store",
        "node": "/ip4/10.0.0.1/tcp/5001",
        "lower": ["/srv/models", "/mnt/cache"],
        "publish": "off",
        "publishers": ["k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8"],
        "timeout": 2.5,
        "log": "INFO",
        "gateways": ["http://10.0.0.1:8080"],
        "mirrors": ["file:///mnt/models", "s3://bucket/models"],
        "lock": "/srv/models.lock",
    }
    before = file.read_text().splitlines()
    assert a.hook("config", "set", "timeout", "3").returncode == 0
    assert file.read_text().splitlines() == ["timeout = 3.0", *before[1:]]


def test_the_lock_file(machine, hub, tmp_path):
    """Its commit is loaded, whatever the Hub's main is by now; bytes that it does not name are not."""
    lock = shutil.copy(DATA / "models.lock", tmp_path)
    a = machine("a", hub=hub, IPFS_ACCELERATE_LOCK=str(lock))
    assert said(a.hook("fetch", TINY, "--json"))["commit"] == SECOND
    assert said(a.hook("verify", "--json"))["ok"]
    kept = said(a.hook("gc", "--dry-run", "--older-than", "0h", "--json"))["kept"]
    assert [(row["commit"], row["reason"]) for row in kept] == [(SECOND, "pinned by the lock file")]
    table = json.loads(Path(lock).read_text())
    table["repos"][f"{TINY}@{SECOND}"]["files"]["config.json"]["sha256"] = "0" * 64
    Path(lock).write_text(json.dumps(table))
    assert a.hook("verify").returncode == 3


STARTED = "import sys; print('_ipfs_accelerate_boot' in sys.modules)"


@pytest.mark.parametrize("kind", ["wheel", "source"])
def test_startup_files(environment, kind):
    """Those of an installed package start this version too; those that name a folder which is gone are silent."""
    others = environment.site / "zz_editable.pth"
    if kind == "wheel":
        environment.copy_package()
    else:
        others = others.rename(environment.folder / others.name)
    names = sorted(path.name for path in (DATA / "startup" / kind).iterdir())
    for name in names:
        shutil.copy(DATA / "startup" / kind / name, environment.site)
    done = environment.run("-c", STARTED)
    assert (done.stdout, done.stderr) == (f"{kind == 'wheel'}\n", "")
    if kind == "source":
        others.rename(environment.site / others.name)
    paths = [str(environment.site / name) for name in names]
    assert said(environment.hook("status", "--json"))["startup"] == {"enabled": True, "files": paths}
    assert said(environment.hook("disable", "--json")) == {"enabled": False, "removed": paths, "foreign": []}
    assert not environment.files().keys() & set(names)


def test_startup_files_are_replaced(environment):
    for path in (DATA / "startup" / "source").iterdir():
        shutil.copy(path, environment.site)
    assert environment.hook("enable").returncode == 0
    assert environment.run("-c", STARTED).stdout == "True\n"
