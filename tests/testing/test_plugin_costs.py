"""What the plugin costs, and that nothing leaves the machine."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from dnsserver.testing import ThreadedClusterDNS, ThreadedKubeApi
from tests.support.addresses import AddressWatch
from tests.support.process import environment
from tests.support.tools import need_root, run, tool

#: Tests with a server each, and the seconds that they may take.
MANY, MANY_S = 500, 60.0
#: By its module, not its entry point: this checkout need not be installed.
PLUGINS = [
    word
    for name in (
        "no:dnsserver",
        "dnsserver.testing.pytest_plugin",
        "no:cacheprovider",
        "no:asyncio",
        "no:xdist",
    )
    for word in ("-p", name)
]


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 80}]},
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "client", "namespace": "shop"},
    "status": {"podIP": "10.244.0.9"},
}


# Where it stays.


@pytest.fixture
def addresses(watch: AddressWatch) -> Iterator[list[tuple[str, str]]]:
    """What this process binds, connects and sends to, from before the other fixtures on."""
    watch.seen.clear()
    watch.on = True
    yield watch.seen
    watch.on = False


def test_nothing_leaves_loopback(
    addresses: list[tuple[str, str]],
    cluster_dns: ThreadedClusterDNS,
    kube_api: ThreadedKubeApi,
    tmp_path: Path,
) -> None:
    alias = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "docs"}}
    config: Any = kubernetes.config  # it has no types
    cluster_dns.apply(POD, {**alias, "spec": {"type": "ExternalName", "externalName": "kubernetes.io"}})
    for tcp in (False, True):
        assert cluster_dns.ask("docs", from_pod="default/", tcp=tcp).names == ["kubernetes.io."]
        assert cluster_dns.ask("www.example.com", from_pod="shop/client", tcp=tcp).rcode == "NXDOMAIN"
    for libc in ("glibc", "musl", "go"):
        cluster_dns.resolve("www.example.com", from_pod="shop/client", libc=libc)
    client = config.new_client_from_config(str(kube_api.kubeconfig(tmp_path / "kubeconfig")))
    kubernetes.client.CoreV1Api(client).list_node()
    assert {event for event, _ in addresses} >= {"socket.bind", "socket.connect", "socket.sendto"}
    assert {address for _, address in addresses} == {"127.0.0.1"}


@pytest.mark.netns
@pytest.mark.tool("unshare", "ip")
def test_without_any_network(tmp_path: Path) -> None:
    """In a namespace that has nothing but loopback."""
    need_root("a network namespace")
    (tmp_path / "test_one.py").write_text(f"""
import pytest

@pytest.mark.cluster_dns(manifests={SERVICE})
def test_one(cluster_dns, kube_api):
    cluster_dns.expect("web", from_pod="default/")
    assert cluster_dns.ask("www.example.com").rcode == "NXDOMAIN"
""")
    inside = f"ip link set lo up && exec {sys.executable} -m pytest {' '.join(PLUGINS)}"
    done = run(
        [tool("unshare"), "--net", "sh", "-c", inside], cwd=tmp_path, env=environment(), patience_s=120
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


# What it costs.


def run_pytest(folder: Path) -> str:
    done = run(
        [sys.executable, "-m", "pytest", "-q", *PLUGINS], cwd=folder, env=environment(), patience_s=120
    )
    return done.stdout + done.stderr


def test_many_tests_with_a_server_each(tmp_path: Path, record_property: Any) -> None:
    (tmp_path / "test_many.py").write_text(f"""
import time
import pytest

SERVICE = {SERVICE}

@pytest.mark.cluster_dns(manifests=SERVICE)
@pytest.mark.parametrize("n", range({MANY}))
def test_one(n, cluster_dns, record_property):
    assert cluster_dns.ask("web.default.svc.cluster.local").addresses == ["10.96.0.1"]
    cluster_dns.apply({{**SERVICE, "metadata": {{"name": f"w{{n}}"}}}})
    assert cluster_dns.ask(f"w{{n}}", from_pod="default/").found
""")
    told = run_pytest(tmp_path)
    passed = re.search(rf"^{MANY} passed in ([0-9.]+)s", told, re.MULTILINE)
    assert passed is not None, told
    seconds = float(passed[1])
    record_property("seconds", seconds)
    assert seconds < MANY_S


def test_the_plugin_is_cheap_to_import() -> None:
    """pytest imports it in every run of everybody who has the package."""
    code = "import sys, dnsserver.testing.pytest_plugin; print(*sorted(m for m in sys.modules if m.startswith('dns')))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["dnsserver", "dnsserver.testing", "dnsserver.testing.pytest_plugin"]


def test_a_marker_that_is_wrong_and_answers_that_differ(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text(f"""
import pytest

@pytest.mark.cluster_dns(zones="x")
def test_marker(cluster_dns):
    pass

@pytest.mark.cluster_dns(manifests={SERVICE})
def test_differ(cluster_dns):
    name = "web.default.svc.cluster.local"
    assert cluster_dns.ask(name) == cluster_dns.ask("web", from_pod="shop/")
""")
    told = run_pytest(tmp_path)
    assert (
        "cluster_dns['zones']: give manifests and zone, host, options, families, nodes, faults, seed by name"
        in told
    )
    assert "two answers differ (- right, + left):" in told
    assert "+   udp web.default.svc.cluster.local A: NOERROR, A 10.96.0.1" in told
    assert "-   udp web.shop.svc.cluster.local A: NXDOMAIN, no records" in told
