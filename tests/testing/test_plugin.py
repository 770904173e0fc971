"""The fixtures, in tests of every kind."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from dnsserver.faults import drop, rcode
from dnsserver.sources.manifests import ManifestError
from dnsserver.testing import ThreadedClusterDNS, ThreadedKubeApi
from tests.testing.scenes import SHOP, WEB, service

#: A kind that nobody has defined.
MONITOR = {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {"name": "m"}}
#: It has no types.
CONFIG: Any = kubernetes.config


@pytest.fixture
def cluster_dns_manifests() -> Any:
    return SHOP


# What is served.


def test_manifests_of_the_fixture(cluster_dns: ThreadedClusterDNS) -> None:
    answer = cluster_dns.ask(WEB)
    assert (answer.rcode, answer.addresses, answer.values, answer.ttl) == (
        "NOERROR",
        ["10.96.7.7"],
        ["10.96.7.7"],
        5,
    )
    assert str(answer.records[0]) == f"{WEB}. 5 IN A 10.96.7.7"
    assert cluster_dns.ask(f"_http._tcp.{WEB}", "srv").names == [f"{WEB}."]
    assert cluster_dns.ask("7.7.96.10.in-addr.arpa", "PTR").names == [f"{WEB}."]


def test_pods_are_made_as_the_cluster_would(cluster_dns: ThreadedClusterDNS) -> None:
    pods = cluster_dns.pods()
    assert list(pods) == ["shop/web-0", "shop/web-1"]
    cluster_dns.expect("each.shop.svc.cluster.local", "A", pods.values())
    cluster_dns.expect("web-1.each.shop.svc.cluster.local", "A", [pods["shop/web-1"]])


@pytest.mark.cluster_dns(manifests=service("web", "10.96.7.8", namespace="shop"))
def test_a_marker_adds_and_replaces(cluster_dns: ThreadedClusterDNS) -> None:
    cluster_dns.expect(WEB, "A", ["10.96.7.8"])
    cluster_dns.expect("each.shop.svc.cluster.local")


@pytest.mark.cluster_dns(manifests=service("web", "10.96.7.8", namespace="shop"), zone="k8s.test")
class TestMarkers:
    @pytest.mark.cluster_dns(
        [service("web", "10.96.7.9", namespace="shop"), service("more")], options=["ttl 60"]
    )
    def test_the_nearest_counts(self, cluster_dns: ThreadedClusterDNS) -> None:
        assert cluster_dns.expect("web.shop.svc.k8s.test", "A", ["10.96.7.9"]).ttl == 60
        cluster_dns.expect("more.default.svc.k8s.test")

    def test_that_of_the_class(self, cluster_dns: ThreadedClusterDNS) -> None:
        cluster_dns.expect("web.shop.svc.k8s.test", "A", ["10.96.7.8"])


@pytest.mark.cluster_dns(manifests=Path("../../zones/demo"), families=("IPv4", "IPv6"))
def test_a_folder_counts_from_the_test_file(cluster_dns: ThreadedClusterDNS) -> None:
    cluster_dns.expect("nginx.default.svc.cluster.local", "A", ["10.8.5.220"])


def test_each_test_has_its_own_1(cluster_dns: ThreadedClusterDNS) -> None:
    cluster_dns.apply(service("own"))
    cluster_dns.expect("own.default.svc.cluster.local")


def test_each_test_has_its_own_2(cluster_dns: ThreadedClusterDNS) -> None:
    cluster_dns.expect("own.default.svc.cluster.local", rcode="NXDOMAIN")


# Changes.


def test_add_change_remove(cluster_dns: ThreadedClusterDNS) -> None:
    name = "db.default.svc.cluster.local"
    cluster_dns.expect(name, rcode="NXDOMAIN")
    cluster_dns.apply(service("db", "10.96.0.1"))
    cluster_dns.expect(name, "A", ["10.96.0.1"])
    cluster_dns.apply("apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: 10.96.0.2}")
    cluster_dns.expect(name, "A", ["10.96.0.2"])
    cluster_dns.remove(service("db"))
    cluster_dns.expect(name, rcode="NXDOMAIN")
    with pytest.raises(LookupError, match="Service default/db is not there"):
        cluster_dns.remove(service("db"))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("kind: Service\nmetadata: [\n", r"<documents>:\d+: no YAML"),
        (service("bad", "10.96.0.256"), "Service default/bad"),
        (Path("none"), "none: no such file or folder"),
        ([7], "int is no manifest"),
        (
            {**MONITOR, "metadata": {"name": "m", "labels": "x"}},
            "metadata.labels: a mapping is expected, not 'x'",
        ),
        ({**MONITOR, "metadata": {"name": ["m"]}}, "metadata.name: text is expected"),
        (
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "x"},
            },
            "CustomResourceDefinition x: spec: group, names, scope",
        ),
    ],
    ids=["no YAML", "no address", "no file", "no manifest", "labels", "name", "definition"],
)
def test_what_cannot_be_changes_nothing(broken: Any, told: str, cluster_dns: ThreadedClusterDNS) -> None:
    with pytest.raises(ManifestError, match=told):
        cluster_dns.apply(service("good"), broken)
    cluster_dns.expect("good.default.svc.cluster.local", rcode="NXDOMAIN")
    cluster_dns.expect(WEB)


def test_kinds_that_nobody_knows_are_passed_over(cluster_dns: ThreadedClusterDNS) -> None:
    cluster_dns.apply(
        [MONITOR, service("db")], {"apiVersion": "v1", "kind": "List", "items": [service("two")]}
    )
    cluster_dns.expect("db.default.svc.cluster.local")
    cluster_dns.expect("two.default.svc.cluster.local")


# Who asks.


def test_from_pod(cluster_dns: ThreadedClusterDNS) -> None:
    answer = cluster_dns.ask("web", from_pod="shop/web-0")
    assert answer.addresses == ["10.96.7.7"]
    assert [step.name for step in answer.transcript] == ["web.shop.svc.cluster.local"]
    assert [each.client for each in cluster_dns.transcript] == [cluster_dns.pods()["shop/web-0"]]
    other = cluster_dns.ask("web", from_pod="default/")
    assert (other.rcode, len(other.transcript)) == ("NXDOMAIN", 4)
    assert cluster_dns.ask("web.shop", from_pod="default/").addresses == ["10.96.7.7"]
    assert cluster_dns.ask("web", "AAAA", from_pod="shop/").rcode == "NOERROR"
    with pytest.raises(LookupError, match="there is no pod shop/none: there are shop/web-0, shop/web-1"):
        cluster_dns.ask("web", from_pod="shop/none")
    with pytest.raises(LookupError, match="NAMESPACE/NAME"):
        cluster_dns.ask("web", from_pod="web-0")


def test_a_domain_with_which_the_name_is_too_long(cluster_dns: ThreadedClusterDNS) -> None:
    """It is passed over, as resolvers do."""
    name = ".".join(["x" * 59] * 4)
    answer = cluster_dns.ask(name, from_pod="shop/web-0")
    assert [step.name for step in answer.transcript] == [f"{name}.cluster.local", name]
    assert f"{name}. NXDOMAIN" in cluster_dns.explain(name, from_pod="shop/web-0")


@pytest.mark.parametrize(
    "name", ["a..b", "x" * 64, "a b\udcff"], ids=["empty label", "long label", "surrogate"]
)
def test_what_is_no_name(name: str, cluster_dns: ThreadedClusterDNS) -> None:
    with pytest.raises(ValueError, match=" A: "):
        cluster_dns.ask(name)


def test_what_is_no_type(cluster_dns: ThreadedClusterDNS) -> None:
    with pytest.raises(ValueError, match="NONSENSE"):
        cluster_dns.ask("web", "nonsense")


# Faults.


@pytest.mark.cluster_dns(faults=[drop(nth=1, name="web.*"), rcode(2, name="each.*")], seed=1)
def test_faults_by_marker(cluster_dns: ThreadedClusterDNS) -> None:
    assert [cluster_dns.ask(WEB, timeout_s=0.2).rcode, cluster_dns.ask(WEB).rcode] == ["TIMEOUT", "NOERROR"]
    cluster_dns.expect("each.shop.svc.cluster.local", rcode="SERVFAIL")
    cluster_dns.set_faults("truncate protocol=udp\ncut 9 nth=1")
    answer = cluster_dns.ask(WEB)
    assert [(step.protocol, step.rcode, step.truncated) for step in answer.transcript] == [
        ("udp", "NOERROR", True),
        ("tcp", "CLOSED", False),
    ]
    cluster_dns.set_faults("wrong-id nth=1\nrcode REFUSED client=10.244.0.0/16")
    assert cluster_dns.ask(WEB, timeout_s=0.2).rcode == "TIMEOUT"
    assert cluster_dns.ask("web", from_pod="shop/web-0", tcp=True).rcode == "TIMEOUT"
    assert cluster_dns.ask("web", from_pod="shop/web-0", tcp=True).rcode == "REFUSED"
    cluster_dns.set_faults()
    cluster_dns.expect("web", from_pod="shop/web-0")


# The API.


def test_the_api_is_the_same_clusters(
    cluster_dns: ThreadedClusterDNS, kube_api: ThreadedKubeApi, tmp_path: Path
) -> None:
    path = str(kube_api.kubeconfig(tmp_path / "kubeconfig"))
    client = CONFIG.new_client_from_config(path)
    core: Any = kubernetes.client.CoreV1Api(client)
    assert [item.metadata.name for item in core.list_namespaced_service("shop").items] == ["each", "web"]
    made = core.create_namespaced_service(
        "default", {"metadata": {"name": "db"}, "spec": {"ports": [{"port": 80}]}}
    )
    cluster_dns.expect("db.default.svc.cluster.local", "A", [made.spec.cluster_ip])
    core.delete_namespaced_service("db", "default")
    cluster_dns.expect("db.default.svc.cluster.local", rcode="NXDOMAIN")
    assert [request.verb for request in kube_api.asked(resource="services")] == ["list", "create", "delete"]
    assert [each["metadata"]["name"] for each in kube_api.objects("StatefulSet")] == ["web"]


def test_what_the_api_has_and_dns_cannot_serve(
    cluster_dns: ThreadedClusterDNS, kube_api: ThreadedKubeApi
) -> None:
    slice_ = {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.256"]}],
        "metadata": {"name": "bad"},
    }
    body = json.dumps(slice_).encode()
    url = f"{kube_api.url}/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10):
        pass
    with pytest.raises(ManifestError, match="EndpointSlice default/bad"):
        cluster_dns.wait()
    kube_api.remove(
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "bad"}}
    )
    cluster_dns.expect(WEB)


def test_dns_goes_on_when_the_api_forgets_its_history(
    cluster_dns: ThreadedClusterDNS, kube_api: ThreadedKubeApi
) -> None:
    kube_api.compact()
    cluster_dns.expect(WEB)
    kube_api.compact(expire_watches=True)
    cluster_dns.expect(WEB)


def test_the_api_alone(kube_api: ThreadedKubeApi) -> None:
    kube_api.require_token("secret")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(kube_api.url, timeout=10)
    kube_api.require_token("")
    kube_api.deaf()
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(kube_api.url, timeout=10)
    kube_api.listen()
    with urllib.request.urlopen(f"{kube_api.url}/api/v1/namespaces", timeout=10) as reply:
        names = [item["metadata"]["name"] for item in json.load(reply)["items"]]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]


# Every kind of test.


async def test_asyncio_with_blocking_calls(cluster_dns: ThreadedClusterDNS) -> None:
    cluster_dns.apply(service("db"))
    assert cluster_dns.ask("db.default.svc.cluster.local").found


async def test_asyncio_without(cluster_dns: ThreadedClusterDNS) -> None:
    await cluster_dns.aapply(service("db"))
    answers = await asyncio.gather(*(cluster_dns.aask("db", from_pod="default/") for _ in range(20)))
    assert {tuple(answer.addresses) for answer in answers} == {("10.96.0.1",)}
    await cluster_dns.aremove(service("db"))
    await cluster_dns.aexpect("db", rcode="NXDOMAIN", from_pod="default/")
    await cluster_dns.await_changes()


def test_a_resolver_that_blocks(cluster_dns: ThreadedClusterDNS) -> None:
    """Another program's own octets, in the test's thread."""
    question = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\x03web\x04shop\x03svc\x07cluster\x05local\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.sendto(question, (cluster_dns.host, cluster_dns.port))
        assert sock.recv(512).endswith(bytes((10, 96, 7, 7)))


def test_without_pytest() -> None:
    with ThreadedClusterDNS(SHOP) as served:
        served.expect(WEB, "A", ["10.96.7.7"])
    with pytest.raises(RuntimeError, match="inside `with`"):
        served.ask(WEB)


# The resolvers of programs.

MANY_PODS = """
apiVersion: v1
kind: Service
metadata: {name: all}
spec: {selector: {app: worker}, clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: worker}
spec:
  replicas: 60
  serviceName: all
  selector: {matchLabels: {app: worker}}
  template: {metadata: {labels: {app: worker}}, spec: {containers: [{name: worker, image: worker}]}}
"""


@pytest.mark.cluster_dns(manifests=MANY_PODS)
def test_resolvers_of_libraries(cluster_dns: ThreadedClusterDNS) -> None:
    found = {
        libc: len(cluster_dns.resolve("all", from_pod="default/worker-0", libc=libc).outcome.addresses)
        for libc in ("glibc", "musl", "musl-1.2.3", "go")
    }
    assert found == {"glibc": 60, "musl": 48, "musl-1.2.3": 29, "go": 60}
    assert {each.client for each in cluster_dns.transcript} == {cluster_dns.pods()["default/worker-0"]}


def test_a_library_that_is_not_emulated(cluster_dns: ThreadedClusterDNS) -> None:
    with pytest.raises(ValueError, match="libc='alpine': give one of glibc, "):
        cluster_dns.resolve("web", from_pod="shop/", libc="alpine")


# What the marker says.


@pytest.mark.cluster_dns(options="ttl 7")
def test_one_option_as_text(cluster_dns: ThreadedClusterDNS) -> None:
    assert cluster_dns.ask(WEB).ttl == 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"families": "IPv6"}, "families: 'IPv6': give one or both of"),
        ({"families": ("ipv6",)}, r"families: \('ipv6',\): give one or both of"),
        ({"families": ()}, "neither one family nor two"),
        ({"nodes": "2"}, "nodes: '2' is not in 0"),
        ({"nodes": -1}, "nodes: -1 is not in 0"),
        ({"manifests": None}, "NoneType is no manifest"),
    ],
    ids=str,
)
def test_what_no_cluster_can_be(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        ThreadedClusterDNS(**arguments)
