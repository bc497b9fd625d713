import pytest

from tests.support.local_hub import LocalHub

from .resolving import write_acme


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
