"""What the plugin knows of a query (coredns-compat.md, section 3.6)."""

import pytest

from dnsserver.plugins import kubernetes
from dnsserver.zone.objects import Feed
from tests.answers.objects import pod
from tests.plugins.helpers import directive, query, site

Z = "cluster.local."


def labels(name: str, *lines: str, pods: bool = False) -> dict[str, str]:
    text = "\n".join(("kubernetes cluster.local clusterset.local {", *lines, "}"))
    plugin = kubernetes.setup(directive(text), site())
    assert plugin.labels is not None
    assert plugin.repeatable is not None
    if pods:
        for name_of in ("b/two", "a/one", "c/three"):
            plugin.repeatable.state.put(Feed.PODS, pod(name_of, "10.1.2.3"), 1)
    found = plugin.labels(query(name))
    return {label.removeprefix("kubernetes/"): value() for label, value in found.items() if value()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (Z, {}),
        (f"svc.{Z}", {}),
        (f"shop.svc.{Z}", {"kind": "svc", "namespace": "shop"}),
        (f"Web.shop.svc.{Z}", {"kind": "svc", "namespace": "shop", "service": "web"}),
        (f"10-0-0-1.shop.pod.{Z}", {"kind": "pod", "namespace": "shop", "service": "10-0-0-1"}),
        (f"a.web.shop.svc.{Z}", {"kind": "svc", "namespace": "shop", "service": "web", "endpoint": "a"}),
        (
            f"_http._tcp.web.shop.svc.{Z}",
            {"kind": "svc", "namespace": "shop", "service": "web", "port-name": "http", "protocol": "tcp"},
        ),
        (
            "a.east.web.shop.svc.clusterset.local.",
            {"kind": "svc", "namespace": "shop", "service": "web", "endpoint": "a", "cluster": "east"},
        ),
        (
            "_http._tcp.web.shop.svc.clusterset.local.",
            {"kind": "svc", "namespace": "shop", "service": "web", "port-name": "http", "protocol": "tcp"},
        ),
        (
            f"rack.7.pin._zone.web.shop.svc.{Z}",
            {"kind": "svc", "namespace": "shop", "service": "web", "zone": "rack.7"},
        ),
        (f"rack.keep._zone.web.shop.svc.{Z}", {"parse-error": "invalid query name"}),
        (f"rack.pin._zone.web.shop.pod.{Z}", {"parse-error": "invalid query name"}),
        (f"a.b.c.web.shop.svc.{Z}", {"parse-error": "invalid query name"}),
        (f"foo.{Z}", {"parse-error": "invalid query name"}),
        ("www.example.com.", {}),
    ],
)
def test_names(name: str, expected: dict[str, str]) -> None:
    assert labels(name, "multicluster clusterset.local", "zonal") == expected


def test_options_off() -> None:
    assert "cluster" not in labels("a.east.web.shop.svc.clusterset.local.")
    assert labels(f"rack.pin._zone.web.shop.svc.{Z}") == {"parse-error": "invalid query name"}


def test_the_pod_that_asks() -> None:
    expected = {"client-namespace": "a", "client-pod-name": "one"}
    assert labels("www.example.com.", "pods verified", pods=True) == expected
    assert labels("www.example.com.", "pods insecure", pods=True) == {}
    assert labels("www.example.com.", "pods verified") == {}
