from contextlib import ExitStack

import pytest

from ipfs_accelerate_py.store import store as store_module
from ipfs_accelerate_py.store import verify
from tests.support.fleet import FleetMachine
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

from .resolving import write_acme


@pytest.fixture
def serve_repos(tmp_path, here):
    """`serve_repos({"acme/model": files}, ...)`: a Hub that has these repos, at which `here` is pointed."""
    with ExitStack() as stack:

        def serve(repos, **options):
            for repo_id, files in repos.items():
                write_repo(tmp_path / "models", repo_id, files)
            hub = stack.enter_context(LocalHub(tmp_path / "models", **options))
            here.point_at(hub)
            return hub

        yield serve


@pytest.fixture
def reads(monkeypatch):
    """The files of stores that were read whole to be checked; the real check still runs."""
    made = []

    def noted(path, entry, note=None):
        made.append(path.name)
        return verify.verify_file(path, entry, note)

    monkeypatch.setattr(store_module, "verify_file", noted)
    return made


@pytest.fixture
def acme(tmp_path):
    """A Hub's root folder with a public, a private and a gated repo; see resolving.write_acme."""
    write_acme(tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def acme_hub(acme, here):
    """A Hub of that folder, at which `here` is pointed; the token hf_alice is alice's."""
    with LocalHub(acme, tokens={"hf_alice": "alice"}) as running:
        here.point_at(running)
        yield running


@pytest.fixture
def machine(node_class, tmp_path):
    """Makes machines of a fleet: `machine("a")`."""
    made = []

    def make(name, **options):
        made.append(FleetMachine(tmp_path / name, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()
