"""The cluster's zone answered on the node itself, from a watch of its own."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.machine import BASE, KUBE_DNS, LINK_LOCAL, WEB, WEB_AT, Machine, NodeDns
from tests.support.process import REPOSITORY, environment, wait_until
from tests.support.tools import tool

pytestmark = [pytest.mark.netns, pytest.mark.tool("ip", "nft", "dig", "curl")]

PORT = 6443
TOKEN = "admin-token"
KUBECONFIG = f"""\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{PORT}"}}}}]
users: [{{name: u, user: {{token: {TOKEN}}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""
FORWARDED = "forward . __PILLAR__CLUSTER__DNS__ {\n            force_tcp\n    }"
WATCHED = "kubernetes cluster.local {\n        kubeconfig KUBECONFIG\n    }"


@contextlib.contextmanager
def api_server(place: Machine) -> Iterator[None]:
    """On the node's loopback."""
    words = ("--port", f"{PORT}", "--admin-token", TOKEN, "--state", place.folder / "api.json")
    command: tuple[str | Path, ...] = (
        *place.node.prefix,
        sys.executable,
        "-m",
        "dnsserver.testing.kube_api",
        *words,
    )
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment()) as process:
        try:
            wait_until(lambda: call(place, "GET", "/readyz") == "ok", lambda: "no API server")
            yield
        finally:
            process.terminate()


def call(place: Machine, method: str, path: str, body: object = None) -> str:
    data = () if body is None else ("--header", "Content-Type: application/json", "--data", json.dumps(body))
    url = f"http://127.0.0.1:{PORT}{path}"
    words = ("--silent", "--request", method, "--header", f"Authorization: Bearer {TOKEN}", *data, url)
    return place.node.run(tool("curl"), *words)[1]


def add_service(place: Machine, name: str, address: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"clusterIP": address, "ports": [{"port": 80}]},
    }
    told = json.loads(call(place, "POST", "/api/v1/namespaces/default/services", service))
    assert told["kind"] == "Service", told


@pytest.mark.parametrize("workers", ["0", "1"])
def test_own_watch(place: Machine, workers: str) -> None:
    """No query of the cluster's zone leaves the node, and it knows what has just changed."""
    config = place.folder / "kubeconfig"
    config.write_text(KUBECONFIG)
    base = BASE.replace(FORWARDED, WATCHED.replace("KUBECONFIG", os.fspath(config)))
    with api_server(place):
        add_service(place, "web", *WEB_AT)
        with NodeDns(place, "--workers", workers, base=base) as dns:
            dns.settled()
            for server in (LINK_LOCAL, KUBE_DNS):
                assert place.asks(server, WEB).data == WEB_AT
            late = "late.default.svc.cluster.local"
            add_service(place, "late", "10.96.7.8")
            wait_until(lambda: place.asks(KUBE_DNS, late).data == ("10.96.7.8",), dns.told)
            assert place.asked(WEB) == place.asked(late) == []
            assert dns.stop() == 0, dns.told()
    assert place.addresses() == place.rules() == []
