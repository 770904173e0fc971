from pathlib import Path

import pytest

from tests.support.kube_api.pki import Pki, make_pki


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def folder(pki: Pki, tmp_path: Path) -> Path:
    """A folder with `cert.pem`, `key.pem` and `ca.pem`, which tests may change."""
    for name, path in (("cert", pki.server.cert), ("key", pki.server.key), ("ca", pki.ca.cert)):
        (tmp_path / f"{name}.pem").write_bytes(path.read_bytes())
    return tmp_path
