"""Each scenario with each control plane that there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chart.rendering import Rendering
from tests.control_plane.dns import Account, installed
from tests.control_plane.plane import FakePlane, Plane, RealPlane
from tests.support.kube_api.pki import Pki, make_pki
from tests.support.kube_api.real import assets_folder
from tests.support.tools import need_root

KINDS = ["fake"] if assets_folder() is None else ["fake", "kube-apiserver"]


@dataclass(frozen=True)
class Cluster:
    """A control plane with the chart's rights in it; `state` is where the server keeps what it knows."""

    plane: Plane
    chart: Rendering
    account: Account
    state: Path


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(params=KINDS)
def cluster(request: pytest.FixtureRequest, pki: Pki, tmp_path: Path) -> Iterator[Cluster]:
    need_root("a mount of the ServiceAccount for one process")
    assets = assets_folder()
    plane = (
        FakePlane(tmp_path, pki)
        if request.param == "fake" or assets is None
        else RealPlane(tmp_path, pki, assets)
    )
    try:
        plane.begin()
        chart, account = installed(plane)
        state = tmp_path / "state"
        state.mkdir()
        yield Cluster(plane, chart, account, state)
    finally:
        plane.end()
