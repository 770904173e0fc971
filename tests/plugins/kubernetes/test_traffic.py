"""What a block tells of its traffic with the API server (coredns-compat.md, section 4.2)."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from dnsserver.observability.families import AnyFamily, Family, HistogramFamily
from dnsserver.plugins.kubernetes.traffic import PROGRAMMING_BOUNDS, REQUEST_BOUNDS
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.testing.kube_api import KubeApi, forbidden, service, slice_of
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ObjectKey
from tests.runtime.helpers import server_of
from tests.sources.kubernetes.conftest import eventually

TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"


def families(server: ClusterDnsServer) -> dict[str, AnyFamily]:
    (plugin,) = (plugin for plugin in server.plugins() if plugin.name == "kubernetes")
    assert plugin.metrics is not None
    return {family.name: family for family in plugin.metrics()}


def numbers(server: ClusterDnsServer, name: str) -> dict[tuple[str, ...], float]:
    family = families(server)[name]
    assert isinstance(family, Family)
    return dict(family.samples)


def histogram(server: ClusterDnsServer, name: str) -> dict[tuple[str, ...], tuple[int, float]]:
    """Observations and their sum."""
    family = families(server)[name]
    assert isinstance(family, HistogramFamily)
    return {labels: (sum(found.counts), found.total) for labels, found in family.samples}


@asynccontextmanager
async def running(api: KubeApi, *lines: str) -> AsyncIterator[ClusterDnsServer]:
    inside = "\n".join((f"endpoint {api.url}", *lines))
    async with server_of(
        f".:0 {{\nbind 127.0.0.1\nkubernetes cluster.local {{\n{inside}\n}}\n}}\n"
    ) as server:
        yield server


def state(server: ClusterDnsServer) -> ClusterState:
    (found,) = (plugin.repeatable.state for plugin in server.plugins() if plugin.repeatable is not None)
    return found


def changed(obj: dict[str, Any], ago_s: float, text: str = "") -> Mapping[str, Any]:
    """*obj* after a change so long ago."""
    when = text or datetime.fromtimestamp(time.time() - ago_s, UTC).isoformat().replace("+00:00", "Z")
    return {**obj, "metadata": {**obj["metadata"], "annotations": {TRIGGER: when, "other": "x" * 100}}}


async def test_requests() -> None:
    async with KubeApi() as api:
        api.namespace("default")
        host = api.url.partition("://")[2]
        async with running(api) as server:
            await eventually(lambda: api.watching() == 3)
            requests = "coredns_kubernetes_rest_client_requests_total"
            await eventually(lambda: numbers(server, requests) == {("200", "GET", host): 6.0})
            took = histogram(server, "coredns_kubernetes_rest_client_request_duration_seconds")
            waited = histogram(server, "coredns_kubernetes_rest_client_rate_limiter_duration_seconds")
            assert list(took) == [("GET", host)] == list(waited)
            assert took["GET", host][0] == 3
            assert took["GET", host][1] > 0
            assert waited["GET", host][0] == 6
            for name in ("lists", "watches"):
                counted = numbers(server, f"dnsserver_kubernetes_{name}_total")
                assert set(counted.values()) == {1.0}
                assert {feed for _, feed in counted} == {"services", "endpointslices", "namespaces"}
                assert {zone for zone, _ in counted} == {"cluster.local."}
            events = "dnsserver_kubernetes_events_total"
            api.add(service("web", "10.96.0.1"))
            await eventually(lambda: numbers(server, events)["cluster.local.", "services"] == 1)


async def test_requests_that_fail() -> None:
    async with KubeApi() as api:
        api.fail(forbidden("services", "list"))
        host = api.url.partition("://")[2]
        async with running(api, "startup_timeout 0s") as server:
            requests = "coredns_kubernetes_rest_client_requests_total"
            failures = "dnsserver_kubernetes_failures_total"
            await eventually(lambda: numbers(server, requests).get(("403", "GET", host)))
            await eventually(lambda: numbers(server, failures)["cluster.local.", "services"] >= 1)
            await api.stop()
            await eventually(lambda: numbers(server, requests).get(("<error>", "GET", host)))


async def test_waiting_for_the_rate() -> None:
    """Three feeds are six requests; one at once, and 20 per second: the last waits for a quarter second."""
    async with KubeApi() as api, running(api, "apiserver_qps 20", "apiserver_burst 1") as server:
        await eventually(lambda: api.watching() == 3)
        waited = histogram(server, "coredns_kubernetes_rest_client_rate_limiter_duration_seconds")
        ((count, total),) = waited.values()
        assert count == 6
        assert total > 0.25


async def test_how_long_changes_take(caplog: pytest.LogCaptureFixture) -> None:
    name = "coredns_kubernetes_dns_programming_duration_seconds"
    async with KubeApi() as api:
        api.namespace("default")
        api.add(service("web", "10.96.0.1"), service("db"))
        api.add(changed(slice_of("web", ["10.1.0.1"]), 1_000))
        async with running(api) as server:
            await eventually(lambda: api.watching() == 3)
            assert histogram(server, name) == {}, "what is listed at the start has not changed now"
            api.update(changed(slice_of("web", ["10.1.0.2"]), 2))
            api.add(changed(slice_of("db", ["10.1.0.3"]), 3))
            await eventually(lambda: len(histogram(server, name)) == 2)
            for kind, ago_s in (("cluster_ip", 2), ("headless_with_selector", 3)):
                count, total = histogram(server, name)[kind,]
                assert count == 1
                assert ago_s <= total < ago_s + 30
            # No time, one that cannot be read, no Service, and a slice that goes.
            api.update(slice_of("web", ["10.1.0.4"]))
            api.update(changed(slice_of("db", ["10.1.0.5"]), 0, "yesterday"))
            api.add(changed(slice_of("ghost", ["10.1.0.6"]), 1))
            api.delete(slice_of("web", []))
            last = state(server)
            await eventually(
                lambda: (
                    last.slices_of(ObjectKey("default", "ghost"))
                    and not last.slices_of(ObjectKey("default", "web"))
                )
            )
            assert [count for count, _ in histogram(server, name).values()] == [1, 1]
    assert "DnsProgrammingLatency cannot be calculated for Endpoints 'default/db-x1'" in caplog.text


def test_buckets() -> None:
    assert (len(PROGRAMMING_BOUNDS), PROGRAMMING_BOUNDS[0], PROGRAMMING_BOUNDS[-1]) == (20, 0.001, 524.288)
    assert REQUEST_BOUNDS == (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
