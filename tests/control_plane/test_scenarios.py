"""What happens in a cluster's life, from the chart's rights to answers by dig."""

import json
from pathlib import Path
from typing import Any

import pytest

from dnsserver.testing.kube_api import namespace, pod, service, slice_of
from tests.chart.rendering import NAMESPACE
from tests.control_plane.conftest import Cluster
from tests.control_plane.dns import serving
from tests.control_plane.plane import PATIENCE_S, Plane
from tests.support.process import wait_until
from tests.support.tools import run, tool

pytestmark = [
    pytest.mark.tool("dig", "curl", "helm", "kubectl", "openssl", "unshare", "mount"),
    pytest.mark.mount,
]
ZONE = "svc.cluster.local"


def kubectl(plane: Plane, *words: str, obj: Any = None) -> str:
    command: list[str | Path] = [
        tool("kubectl"),
        "--kubeconfig",
        plane.kubeconfig(),
        "--cache-dir",
        plane.folder / "cache",
        *words,
    ]
    done = run(command, text="" if obj is None else json.dumps(obj))
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def create(plane: Plane, *objects: Any) -> None:
    """By `kubectl create`; the old API servers of some platforms have no schemas to validate with."""
    for obj in objects:
        kubectl(plane, "create", "--validate=false", "-f", "-", obj=obj)


def test_services_slices_and_pods_by_kubectl(cluster: Cluster) -> None:
    plane = cluster.plane
    create(plane, namespace("shop"), service("before", "10.96.7.1", namespace="shop"))
    with serving(cluster.chart, cluster.account, cluster.state) as dns:
        assert dns.dig(f"before.shop.{ZONE}", "A") == ["10.96.7.1"]
        create(plane, service("web", "10.96.7.2", namespace="shop"))
        dns.until(["10.96.7.2"], f"web.shop.{ZONE}", "A")
        dns.until([f"web.shop.{ZONE}."], "-x", "10.96.7.2")
        create(plane, pod("db-0", "10.244.1.7", namespace="shop"), service("db", namespace="shop"))
        create(plane, slice_of("db", ["10.244.1.7", "10.244.1.8"], namespace="shop"))
        dns.until(["10.244.1.7", "10.244.1.8"], f"db.shop.{ZONE}", "A")
        targets = [f"0 50 8080 10-244-1-{last}.db.shop.{ZONE}." for last in (7, 8)]
        assert dns.dig(f"_http._tcp.db.shop.{ZONE}", "SRV") == targets
        ready = '{"conditions":{"ready":false},"addresses":["10.244.1.8"]}'
        patch = f'{{"endpoints":[{{"addresses":["10.244.1.7"]}},{ready}]}}'
        words = ("endpointslice", "db-x1", "-n", "shop", "--type=merge", "-p", patch)
        kubectl(plane, "patch", *words)
        dns.until(["10.244.1.7"], f"db.shop.{ZONE}", "A")
        assert dns.dig("10-244-1-7.shop.pod.cluster.local", "A") == ["10.244.1.7"]
        kubectl(plane, "delete", "service", "web", "-n", "shop", "--wait=false")
        dns.until([], f"web.shop.{ZONE}", "A")
        dns.until([], "-x", "10.96.7.2")


def test_the_rights_are_enough_and_no_more(cluster: Cluster) -> None:
    plane, token = cluster.plane, cluster.account.token
    plane.create(service("web", "10.96.7.2"))
    watched = ("/api/v1/services", "/api/v1/namespaces", "/apis/discovery.k8s.io/v1/endpointslices")
    assert {path: plane.code(token, path) for path in watched} == dict.fromkeys(watched, 200)
    refused = {
        "/api/v1/secrets": "GET",
        "/api/v1/configmaps": "GET",
        "/api/v1/pods": "GET",  # the Corefile has no `pods verified`
        "/api/v1/nodes": "GET",
        "/api/v1/namespaces/default/services/web": "GET",
        "/api/v1/namespaces/default/services": "POST",
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{cluster.account.name}/token": "POST",
    }
    codes = {path: plane.code(token, path, method) for path, method in refused.items()}
    assert codes == dict.fromkeys(refused, 403)
    with serving(cluster.chart, cluster.account, cluster.state) as dns:
        assert dns.dig(f"web.default.{ZONE}", "A") == ["10.96.7.2"]
        assert "forbidden" not in dns.server.told()


def test_an_api_server_that_stops_and_starts(cluster: Cluster) -> None:
    plane = cluster.plane
    stays, goes = service("stays", "10.96.7.1"), service("goes", "10.96.7.2")
    plane.create(stays, goes)
    with serving(cluster.chart, cluster.account, cluster.state) as dns:
        plane.stop()
        wait_until(
            lambda: "reachable" in dns.server.told() or "does not answer" in dns.server.told(),
            dns.server.told,
            PATIENCE_S,
        )
        assert dns.dig(f"stays.default.{ZONE}", "A") == ["10.96.7.1"]
        assert dns.ready()
        plane.start()
        plane.delete(goes)
        plane.create(service("comes", "10.96.7.3"))
        dns.until(["10.96.7.3"], f"comes.default.{ZONE}", "A")
        dns.until([], f"goes.default.{ZONE}", "A")
        assert dns.dig(f"stays.default.{ZONE}", "A") == ["10.96.7.1"]


def test_a_restart_while_the_api_server_is_away(cluster: Cluster) -> None:
    plane = cluster.plane
    plane.create(service("web", "10.96.7.1"))
    with serving(cluster.chart, cluster.account, cluster.state) as dns:
        assert dns.dig(f"web.default.{ZONE}", "A") == ["10.96.7.1"]
    plane.stop()
    with serving(cluster.chart, cluster.account, cluster.state) as dns:
        assert dns.dig(f"web.default.{ZONE}", "A") == ["10.96.7.1"]
        plane.start()
        plane.create(service("later", "10.96.7.2"))
        dns.until(["10.96.7.2"], f"later.default.{ZONE}", "A")
