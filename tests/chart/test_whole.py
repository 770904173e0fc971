"""The chart as it comes."""

from pathlib import Path

import pytest

from dnsserver import __version__
from tests.chart.rendering import CHART, KUBE_VERSION, helm, render

pytestmark = pytest.mark.tool("helm")


#: The chart as it comes, and with values of every kind.
VALUES = (CHART / "values.yaml", *sorted((Path(__file__).parent / "official").glob("*.yaml")))


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_lint(values: Path) -> None:
    told = helm("lint", "--strict", "--kube-version", KUBE_VERSION, "--values", values, CHART)
    assert "0 chart(s) failed" in told


def test_objects() -> None:
    assert render(release="dnsserver").kinds() == [
        "ClusterRole/dnsserver",
        "ClusterRoleBinding/dnsserver",
        "ConfigMap/dnsserver",
        "Deployment/dnsserver",
        "PodDisruptionBudget/dnsserver",
        "Service/dnsserver",
        "ServiceAccount/dnsserver",
    ]


def test_server_of_the_same_version() -> None:
    assert render().container["image"] == f"dnsserver:{__version__}"


def test_rights_are_list_and_watch_of_what_is_needed() -> None:
    assert render().get("ClusterRole")["rules"] == [
        {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
