"""Assertions about answers, and what they say when they fail."""

import threading
from typing import Any

import pytest

from dnsserver.testing import ThreadedClusterDNS, ThreadedKubeApi
from tests.support.process import REPOSITORY
from tests.testing.scenes import SHOP, WEB, service

WRONG_SELECTOR = """
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {clusterIP: None, selector: {app: card}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cart, namespace: shop}
spec:
  replicas: 1
  serviceName: cart
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: example/cart}]}}
"""


@pytest.fixture
def cluster_dns_manifests() -> Any:
    return SHOP


def test_an_assertion_tells_all(cluster_dns: ThreadedClusterDNS) -> None:
    with pytest.raises(AssertionError) as found:
        cluster_dns.expect("web", "A", ["10.96.7.8"], from_pod="shop/web-0", within_s=0.1)
    assert str(found.value).splitlines()[:7] == [
        "web A from shop/web-0 is not as expected (within 0.1 s)",
        "expected: NOERROR 10.96.7.8",
        "came:     NOERROR 10.96.7.7",
        "differs:",
        "  - 10.96.7.8  (missing)",
        "  + 10.96.7.7  (not expected)",
        "asked:",
    ]
    assert f"  udp {WEB} A: NOERROR, A 10.96.7.7" in str(found.value)


def test_the_failure_that_the_page_shows() -> None:
    with ThreadedClusterDNS(WRONG_SELECTOR) as dns, pytest.raises(AssertionError) as found:
        dns.expect("cart", from_pod="shop/cart-0")
    shown = (REPOSITORY / "docs" / "testing.md").read_text()
    assert f"```text\n{found.value}\n```" in shown, found.value


def test_a_failure_by_a_fault_is_told_so(cluster_dns: ThreadedClusterDNS) -> None:
    cluster_dns.set_faults("rcode SERVFAIL name=web.*")
    with pytest.raises(AssertionError, match="why:\n  a fault of the test: rcode SERVFAIL name=web"):
        cluster_dns.expect("web", from_pod="shop/web-0")


def test_explain(cluster_dns: ThreadedClusterDNS) -> None:
    told = cluster_dns.explain("each", from_pod="shop/web-0")
    assert told.startswith("each.shop.svc.cluster.local. A: NOERROR")
    assert "shop/web" in cluster_dns.explain("web-9.each.shop.svc.cluster.local")
    with pytest.raises(ValueError, match="no pod shop/none"):
        cluster_dns.explain("each", from_pod="shop/none")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"name": WEB, "rcode": "NXDOMAIN"}, "expected: NXDOMAIN\ncame:     NOERROR 10.96.7.7"),
        (
            {"name": f"x.{WEB}"},
            "expected: NOERROR and at least one record\ncame:     NXDOMAIN no records of this type",
        ),
        (
            {"name": WEB, "values": []},
            "expected: NOERROR no records of this type\ncame:     NOERROR 10.96.7.7",
        ),
    ],
    ids=["rcode", "nothing", "something"],
)
def test_other_assertions(arguments: dict[str, Any], told: str, cluster_dns: ThreadedClusterDNS) -> None:
    with pytest.raises(AssertionError) as found:
        cluster_dns.expect(**arguments)
    assert told in str(found.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"values": "10.96.7.7"}, r"values='10.96.7.7': give a list, as \['10.96.7.7'\]"),
        (
            {"rcode": "NXDOMIAN"},
            "rcode='NXDOMIAN': give NOERROR, NXDOMAIN, SERVFAIL or the like, TIMEOUT or CLOSED",
        ),
    ],
    ids=["text for a list", "no RCODE"],
)
def test_what_could_never_be_met(
    arguments: dict[str, Any], told: str, cluster_dns: ThreadedClusterDNS
) -> None:
    with pytest.raises(ValueError, match=told):
        cluster_dns.expect(WEB, **arguments)


def test_within_waits_for_what_comes(cluster_dns: ThreadedClusterDNS, kube_api: ThreadedKubeApi) -> None:
    """As with an operator that takes its time."""
    name = "late.default.svc.cluster.local"
    answers = []

    def apply_later() -> None:
        answers.append(cluster_dns.ask(name).rcode)
        kube_api.apply(service("late"))

    timer = threading.Timer(0.1, apply_later)
    timer.start()
    cluster_dns.expect(name, "A", ["10.96.0.1"], within_s=10)
    timer.join()
    assert answers == ["NXDOMAIN"]
