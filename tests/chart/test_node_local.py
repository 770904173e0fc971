"""DNS on each node: the rendered command line and Corefile are the program's, and the pods nobody else's."""

from pathlib import Path

import pytest

from dnsserver.commands.node_cache import read_words, settings_of
from dnsserver.config import Origin
from dnsserver.node.kube_dns import KubeDns
from dnsserver.node.template import filled
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.check import check
from tests.chart.node_local import ALONE
from tests.chart.rendering import Manifest, Rendering, Values, render

pytestmark = pytest.mark.tool("helm")

UPSTREAM = "10.96.0.11"


def node_local(**options: object) -> Rendering:
    return render({"nodeLocal": {"enabled": True, **options}})


def pod(rendering: Rendering) -> Manifest:
    template: Manifest = rendering.get("DaemonSet")["spec"]["template"]
    return template


def test_command_line_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is what Kubernetes makes of the name of the rendered Service."""
    rendering = node_local(clusterIP="10.96.0.10,fd00::a")
    monkeypatch.setenv("COREDNS_DNSSERVER_UPSTREAM_SERVICE_HOST", UPSTREAM)
    rendering.get("Service", "coredns-dnsserver-upstream")
    args = pod(rendering)["spec"]["containers"][0]["args"]
    assert args[0] == "node-cache"
    settings = settings_of(read_words(args[1:]))
    assert [str(address) for address in settings.addresses] == ["169.254.20.10", "10.96.0.10", "fd00::a"]
    assert settings.cluster_dns == UPSTREAM
    assert settings.manages_interface
    assert settings.manages_rules


@pytest.mark.parametrize("zone", ["forward", "watch"])
async def test_corefile_loads(zone: str, tmp_path: Path) -> None:
    rendering = node_local(clusterZone=zone)
    text = filled(
        rendering.get("ConfigMap", "coredns-dnsserver-node")["data"]["Corefile"],
        KubeDns(),
        addresses=("127.0.0.2",),
        port=53,
        cluster_dns=UPSTREAM,
        service="x",
    )
    (tmp_path / "Corefile").write_text(text)
    corefile = Origin(path=tmp_path / "Corefile", directives=ORDER, environ={}).read()
    lines = await check(corefile, tmp_path)
    assert any(f"{UPSTREAM}:53" in line and "by TCP" in line for line in lines)
    assert any("kubernetes" in line for line in lines) == (zone == "watch")


def test_pods_are_not_those_of_the_cluster_s_dns() -> None:
    """Its Service would send queries to them, and theirs would come back to themselves."""
    rendering = node_local()
    labels = pod(rendering)["metadata"]["labels"]
    for service in ("coredns-dnsserver", "coredns-dnsserver-upstream"):
        selector = rendering.get("Service", service)["spec"]["selector"]
        assert not selector.items() <= labels.items()
    assert rendering.get("Service", "coredns-dnsserver-node")["spec"]["selector"].items() <= labels.items()
    upstream = rendering.get("Service", "coredns-dnsserver-upstream")["spec"]["selector"]
    assert upstream.items() <= rendering.pod["metadata"]["labels"].items()


def test_upgrade_is_not_in_its_own_way() -> None:
    """With ports of the node the scheduler would let no second pod in."""
    container = pod(node_local())["spec"]["containers"][0]
    assert "ports" not in container


def test_rights() -> None:
    """None to forward; two capabilities, and one where others see to the network."""
    forwarding = node_local()
    assert forwarding.kinds().count("ClusterRole/coredns-dnsserver-node") == 0
    assert pod(forwarding)["spec"]["automountServiceAccountToken"] is False
    for rendering, added in (
        (forwarding, ["NET_ADMIN", "NET_BIND_SERVICE"]),
        (node_local(setupNetwork=False), ["NET_BIND_SERVICE"]),
    ):
        context = pod(rendering)["spec"]["containers"][0]["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"], "add": added}
        assert "privileged" not in context


def test_alone() -> None:
    """In front of a DNS that another installs."""
    assert render(ALONE, release="dnsserver").kinds() == [
        "ClusterRole/dnsserver-node",
        "ClusterRoleBinding/dnsserver-node",
        "ConfigMap/dnsserver-node",
        "DaemonSet/dnsserver-node",
        "Service/dnsserver-node",
        "Service/dnsserver-upstream",
        "ServiceAccount/dnsserver-node",
    ]


@pytest.mark.parametrize(
    ("local", "shown"), [("169.254.20.10", "169.254.20.10:8080"), ("fd00::10", "[fd00::10]:8080")]
)
def test_health_on_the_node_s_address(local: str, shown: str) -> None:
    values: Values = {"localIP": local}
    text = node_local(**values).get("ConfigMap", "coredns-dnsserver-node")["data"]["Corefile"]
    assert f"health {shown}" in text
