"""Values of the official CoreDNS chart render here, their Corefile loads, and what goes wrong there does not here."""

from pathlib import Path

import pytest
import yaml

from dnsserver.cli import main
from tests.chart.rendering import NAMESPACE, Rendering, Values, render
from tests.support.kube_api.pki import make_pki

pytestmark = pytest.mark.tool("helm")

FOLDER = Path(__file__).parent / "official"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def official(name: str) -> Values:
    values: Values = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return values


def in_pod(rendering: Rendering, folder: Path) -> Path:
    """The Corefile with what it names, moved from the places in a pod to *folder*."""
    config = folder / "coredns"
    config.mkdir()
    pki = make_pki(folder)
    (folder / "tls").mkdir()
    (folder / "tls" / "tls.crt").symlink_to(pki.server.cert)
    (folder / "tls" / "tls.key").symlink_to(pki.server.key)
    (config / "NodeHosts").write_text("192.0.2.5 node-5\n")
    volume = rendering.pod["spec"]["volumes"][0]["configMap"]
    data = rendering.get("ConfigMap", volume["name"])["data"]
    for item in volume["items"]:
        text = data[item["key"]].replace("/etc/coredns", str(config)).replace("/etc/tls", str(folder / "tls"))
        (config / item["path"]).write_text(text)
    return config / "Corefile"


@pytest.mark.parametrize("name", NAMES)
def test_corefile_loads(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corefile = in_pod(render(official(name)), tmp_path)
    assert main(["check", "-conf", str(corefile)]) == 0, capsys.readouterr().err


def test_own_corefile_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corefile = in_pod(render(), tmp_path)
    assert main(["check", "-conf", str(corefile)]) == 0, capsys.readouterr().err
    shown = capsys.readouterr().out
    assert ".:53" in shown


def test_the_official_names_and_labels() -> None:
    """`helm upgrade` of a release of the official chart changes its objects, and makes no others beside them."""
    found = render({"nameOverride": "coredns", "k8sAppLabelOverride": "coredns"}, release="coredns")
    labels = {
        "app.kubernetes.io/instance": "coredns",
        "app.kubernetes.io/name": "coredns",
        "k8s-app": "coredns",
    }
    deployment = found.get("Deployment")
    assert deployment["spec"]["selector"] == {"matchLabels": labels}
    assert found.get("Service")["spec"]["selector"] == labels
    assert {each["metadata"]["name"] for each in found} == {"coredns"}
    assert deployment["metadata"]["namespace"] == NAMESPACE


def test_port_stands_after_each_zone() -> None:
    corefile = render(official("zones")).corefile
    assert "example.org.:5353 dns://example.net.:5353 {" in corefile
    assert "\ntls://. {" in corefile
    assert "\n.:1053 {" in corefile


def test_ports_of_schemes() -> None:
    found = [
        (port["name"], port["port"], port["targetPort"])
        for port in render(official("zones")).get("Service")["spec"]["ports"]
    ]
    assert found == [
        ("dns", 53, 5353),
        ("dns-tcp", 53, 5353),
        ("tcp-853", 853, 853),
        ("udp-1053", 1053, 1053),
        ("tcp-1053", 1053, 1053),
        ("metrics", 9153, 9153),
    ]


def test_helpers_of_the_official_chart() -> None:
    (constraint,) = render(official("zones"), release="x").pod["spec"]["topologySpreadConstraints"]
    assert constraint["labelSelector"]["matchLabels"] == {
        "app.kubernetes.io/instance": "x",
        "app.kubernetes.io/name": "dnsserver",
        "k8s-app": "kube-dns",
    }


def test_monitor_brings_the_service_that_it_reads() -> None:
    found = render({"prometheus": {"monitor": {"enabled": True}}})
    service = found.get("Service", "coredns-dnsserver-metrics")
    wanted = found.get("ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert not wanted.items() <= found.get("Service", "coredns-dnsserver")["metadata"]["labels"].items()
    assert [port["name"] for port in found.get("Service", "coredns-dnsserver")["spec"]["ports"]] == [
        "dns",
        "dns-tcp",
    ]


@pytest.mark.parametrize(
    ("name", "resources"),
    [
        ("rke2", ["services", "namespaces"]),
        ("zone-files", ["services", "namespaces", "pods"]),
        ("imports", ["services", "namespaces", "pods"]),
    ],
)
def test_rights_are_what_the_corefile_needs(name: str, resources: list[str]) -> None:
    roles = [each for each in render(official(name)) if each["kind"] == "ClusterRole"]
    (role,) = (each for each in roles if not each["metadata"]["name"].endswith("-autoscaler"))
    assert role["rules"][0] == {"apiGroups": [""], "resources": resources, "verbs": ["list", "watch"]}


def test_nothing_but_list_and_watch() -> None:
    everything = {"rbac": {"pods": True, "multiclusterEnable": True}}
    for name in NAMES:
        for role in render(official(name) | everything):
            if role["kind"] in ("ClusterRole", "Role") and not role["metadata"]["name"].endswith(
                "-autoscaler"
            ):
                assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}


def test_probes_follow_the_plugins() -> None:
    plugins = [{"name": "health", "parameters": ":8090"}, {"name": "ready", "parameters": "0.0.0.0:8191"}]
    found = render({"servers": [{"plugins": plugins}]}).container
    assert found["livenessProbe"]["httpGet"]["port"] == 8090
    assert found["readinessProbe"]["httpGet"]["port"] == 8191


def test_load_balancer_has_tcp_only_where_it_is_asked_for() -> None:
    found = render(official("outside")).get("Service")["spec"]["ports"]
    assert [(port["name"], port["protocol"]) for port in found] == [("dns", "UDP")]


def test_own_labels_win_over_custom_ones_in_pods() -> None:
    found = render({"customLabels": {"k8s-app": "other"}, "podLabels": {"app.kubernetes.io/name": "other"}})
    selector = found.get("Deployment")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= found.pod["metadata"]["labels"].items()


def test_budget_has_one_bound() -> None:
    assert render({"podDisruptionBudget": {"minAvailable": "50%"}}).get("PodDisruptionBudget")[
        "spec"
    ].keys() == {
        "minAvailable",
        "selector",
    }


def test_pods_change_with_the_configuration() -> None:
    rendered = render(), render({"extraConfig": {"import": {"parameters": "/x"}}})
    first, second = (each.pod["metadata"]["annotations"]["checksum/config"] for each in rendered)
    assert first != second
