"""The texts of the block's options to settings or errors (section 14)."""

from dataclasses import fields
from pathlib import Path

import pytest

from dnsserver.config import ConfigError, parse
from dnsserver.plugins.kubernetes.feeding import feeds
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.wire import names
from dnsserver.zone.objects import Feed
from dnsserver.zone.policy import PodMode

HEAD = "kubernetes cluster.local in-addr.arpa ip6.arpa"


def settings(options: str, head: str = HEAD, block: str = "example.org") -> KubernetesSettings:
    text = f"{block} {{\n {head} {{\n{options}\n}}\n}}\n"
    corefile = parse(text, file="Corefile", directory=Path(), directives={"kubernetes"}, environ={})
    (server,) = corefile.blocks
    directive = server.directive("kubernetes")
    assert directive is not None
    return KubernetesSettings.from_directive(directive, server.zones, Path())


def zones(*texts: str) -> tuple[bytes, ...]:
    return tuple(map(names.from_text, texts))


GOOD: tuple[tuple[str, str, object], ...] = (
    ("", "ttl", 5),
    ("ttl 0", "ttl", 0),
    ("ttl 30", "ttl", 30),
    ("ttl 3600", "ttl", 3600),
    ("ttl 30 and more", "ttl", 30),
    ("", "pods", PodMode.DISABLED),
    ("pods disabled", "pods", PodMode.DISABLED),
    ("pods insecure", "pods", PodMode.INSECURE),
    ("pods verified", "pods", PodMode.VERIFIED),
    ("", "namespaces", frozenset()),
    ("namespaces a", "namespaces", frozenset("a")),
    ("namespaces a b\nnamespaces c", "namespaces", frozenset("abc")),
    ("", "endpoint_pod_names", False),
    ("endpoint_pod_names", "endpoint_pod_names", True),
    ("", "endpoints", True),
    ("noendpoints", "endpoints", False),
    ("", "ignore_empty_service", False),
    ("ignore empty_service", "ignore_empty_service", True),
    ("", "fallthrough", None),
    ("fallthrough", "fallthrough", zones(".")),
    ("fallthrough in-addr.arpa IP6.arpa", "fallthrough", zones("in-addr.arpa.", "ip6.arpa.")),
    ("fallthrough 10.96.0.0/16", "fallthrough", zones("96.10.in-addr.arpa.")),
    ("", "startup_timeout_s", 5.0),
    ("startup_timeout 1m", "startup_timeout_s", 60.0),
    ("startup_timeout 500ms", "startup_timeout_s", 0.5),
)


@pytest.mark.parametrize(("options", "name", "value"), GOOD, ids=[f"{row[1]}: {row[0]}" for row in GOOD])
def test_option(options: str, name: str, value: object) -> None:
    assert name in {field.name for field in fields(KubernetesSettings)}
    assert getattr(settings(options), name) == value


ZONE_TEXTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("kubernetes", "example.org", ("example.org.",)),
    ("kubernetes Cluster.LOCAL", "example.org", ("cluster.local.",)),
    ("kubernetes cluster.local in-addr.arpa ip6.arpa", ".", ("cluster.local.", "in-addr.arpa.", "ip6.arpa.")),
    ("kubernetes cluster.local 10.96.0.0/16", ".", ("cluster.local.", "96.10.in-addr.arpa.")),
    (
        "kubernetes cluster.local 10.8.0.0/15",
        ".",
        ("cluster.local.", "8.10.in-addr.arpa.", "9.10.in-addr.arpa."),
    ),
    ("kubernetes cluster.local fd00::/8", ".", ("cluster.local.", "d.f.ip6.arpa.")),
    ("kubernetes cluster.local cluster.local.", ".", ("cluster.local.",)),
    ("kubernetes .", "example.org", (".",)),
)


@pytest.mark.parametrize(("head", "block", "expected"), ZONE_TEXTS, ids=[row[0] for row in ZONE_TEXTS])
def test_zones(head: str, block: str, expected: tuple[str, ...]) -> None:
    assert settings("", head, block).zones == zones(*expected)


@pytest.mark.parametrize(
    ("head", "primary"),
    [
        ("kubernetes in-addr.arpa cluster.local other.local", "cluster.local."),
        ("kubernetes ip6.arpa in-addr.arpa other.local", "other.local."),
        ("kubernetes 10.0.0.0/8 cluster.local", "cluster.local."),
    ],
)
def test_the_primary_zone_is_the_first_that_is_not_reverse(head: str, primary: str) -> None:
    """The bare reverse trees are no forward zones (section 6)."""
    assert settings("", head).primary == names.from_text(primary)


BAD = (
    "ttl",
    "ttl -1",
    "ttl 3601",
    "ttl five",
    "pods",
    "pods maybe",
    "pods verified insecure",
    "namespaces",
    "namespace_labels",
    "labels",
    "labels a=b,c in",
    "namespaces a\nnamespace_labels b=c",
    "ignore",
    "ignore other",
    "ignore empty_service twice",
    "endpoint_pod_names yes",
    "noendpoints now",
    "endpoint",
    "tls cert key",
    "tls cert key ca more",
    "kubeconfig",
    "kubeconfig file context more",
    "apiserver_qps many",
    "apiserver_qps -1",
    "apiserver_burst 1.5",
    "apiserver_burst -1",
    "apiserver_max_inflight",
    "startup_timeout",
    "startup_timeout soon",
    "resyncperiod 5m",
    "upstream 192.0.2.1",
    "transfer to *",
    "federation prod example.org",
    "unknown",
    "multicluster other.local",
    "zonal yes",
    "zonal\nnoendpoints",
)


@pytest.mark.parametrize("options", BAD)
def test_option_that_is_refused(options: str) -> None:
    with pytest.raises(ConfigError, match=r"Corefile:\d+"):
        settings(options)


@pytest.mark.parametrize(
    "head",
    [
        "kubernetes in-addr.arpa",
        "kubernetes ip6.arpa 10.in-addr.arpa",
        "kubernetes 10.96.0.0/16",
        "kubernetes a..b",
    ],
)
def test_zones_that_are_refused(head: str) -> None:
    with pytest.raises(ConfigError):
        settings("", head)


def test_live_options() -> None:
    access = settings(
        "endpoint https://192.0.2.1:6443 https://192.0.2.2:6443\ntls cert key ca\n"
        "apiserver_qps 1.5\napiserver_burst 20\napiserver_max_inflight 3"
    ).access
    assert access.endpoint == "https://192.0.2.1:6443"
    assert access.tls is not None
    assert (access.qps, access.burst, access.max_inflight) == (1.5, 20, 3)
    access = settings("kubeconfig file context").access
    assert access.context == "context"
    assert access.kubeconfig is not None
    assert access.kubeconfig.name == "file"


def test_selectors() -> None:
    """Of `labels` the last one counts; a selector may have blanks."""
    found = settings("labels a=b\nlabels x in (y, z)")
    assert found.labels is not None
    assert "x" in found.labels.text
    assert "a" not in found.labels.text.replace("labels", "")
    assert settings("namespace_labels !hidden").namespace_labels is not None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {Feed.SERVICES, Feed.NAMESPACES, Feed.ENDPOINT_SLICES}),
        ("noendpoints", {Feed.SERVICES, Feed.NAMESPACES}),
        ("pods insecure", {Feed.SERVICES, Feed.NAMESPACES, Feed.ENDPOINT_SLICES}),
        ("pods verified", set(Feed) - {Feed.SERVICE_IMPORTS}),
        ("multicluster cluster.local", set(Feed) - {Feed.PODS}),
        ("multicluster cluster.local\nnoendpoints", set(Feed) - {Feed.PODS}),
        ("multicluster", {Feed.SERVICES, Feed.NAMESPACES, Feed.ENDPOINT_SLICES}),
    ],
)
def test_what_is_watched(options: str, expected: set[Feed]) -> None:
    """Section 13: no more than the options need."""
    assert feeds(settings(options)) == expected
