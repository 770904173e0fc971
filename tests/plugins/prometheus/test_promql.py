"""Expressions of well-known dashboards and alerts, evaluated by Prometheus over what a whole server says of itself."""

import asyncio
import json
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.exception
import dns.message
import pytest

from dnsserver.testing.kube_api import KubeApi, namespace, service, slice_of
from dnsserver.wire.codes import Rcode
from tests.plugins.prometheus.chart_queries import CHART_READS
from tests.plugins.prometheus.queries import READS, Read
from tests.runtime.helpers import PATIENCE_S, get
from tests.support.process import ServerProcess, free_port
from tests.support.tools import tool
from tests.support.upstream import reply_to, sent, silent, upstream

PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: kube-dns
  static_configs:
  - targets: ["127.0.0.1:{metrics}"]
    labels: {{pod: coredns-0, namespace: kube-system}}
"""
COREFILE = """\
.:{port} {{
    bind 127.0.0.1
    errors
    health 127.0.0.1:{health}
    prometheus 127.0.0.1:{metrics} {{
        runtime_metrics
    }}
    kubernetes cluster.local {{
        endpoint {api}
    }}
    forward . 127.0.0.1:{upstream} 127.0.0.1:{silent} {{
        policy round_robin
        read_timeout 50ms
        health_check 100ms
    }}
    cache 30
    loop
    reload
}}
manifests.test:{port} {{
    bind 127.0.0.1
    prometheus 127.0.0.1:{metrics}
    kubernetes manifests.test {{
        manifests {manifests}
    }}
}}
"""
#: Seconds between two rounds of questions.
PAUSE_S = 0.1


class Prometheus:
    """Its HTTP API on *port*."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def result(self, expression: str) -> list[dict[str, Any]]:
        """The vector that *expression* gives now; nothing while Prometheus starts."""
        status, body = await get(self._port, f"/api/v1/query?query={urllib.parse.quote(expression)}")
        if status in (0, 503):
            return []
        found = json.loads(body)
        assert status == 200, f"{expression}: {found['error']}"
        result: list[dict[str, Any]] = found["data"]["result"]
        return result


@asynccontextmanager
async def prometheus(metrics: int, folder: Path) -> AsyncIterator[Prometheus]:
    config, port = folder / "prometheus.yml", free_port()
    config.write_text(PROMETHEUS.format(metrics=metrics))
    command = [
        tool("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        yield Prometheus(port)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def asking(port: int, api: KubeApi) -> None:
    """All kinds of questions, and changes of the cluster, for ever."""
    number = 0
    while True:
        number += 1
        for name in (
            "web.default.svc.cluster.local",
            "none.cluster.local",
            "a.test",
            f"n{number}.test",
            "fails.test",
        ):
            for ask in (dns.asyncquery.udp, dns.asyncquery.tcp):
                query = dns.message.make_query(name, "A", want_dnssec=number % 2 == 0)
                try:
                    await ask(query, "127.0.0.1", timeout=PATIENCE_S, port=port)
                except (dns.exception.Timeout, ConnectionError, EOFError):
                    continue  # it does not listen yet
        changed = slice_of("db", [f"10.1.0.{number % 200 + 1}"])
        triggered = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        changed["metadata"]["annotations"] = {"endpoints.kubernetes.io/last-change-trigger-time": triggered}
        api.update(changed)
        await asyncio.sleep(PAUSE_S)


def answer(octets: bytes, protocol: str) -> list[bytes]:
    """SERVFAIL, or that there is nothing."""
    return sent(reply_to(octets, rcode=Rcode.SERVFAIL if b"fails" in octets else Rcode.NOERROR), protocol)


async def missing(server: Prometheus, reads: list[Read]) -> list[Read]:
    """Those that find nothing, or nothing with their labels."""
    found = []
    for read in reads:
        result = await server.result(read.expression)
        if not any(set(read.wanted.split()) <= set(series["metric"]) for series in result):
            found.append(read)
    return found


@pytest.mark.tool("prometheus")
async def test_every_expression_finds_its_series(tmp_path: Path) -> None:
    async with KubeApi() as api, upstream(answer) as talking, upstream(silent) as mute:
        api.add(
            namespace("default"), service("web", "10.96.0.7"), service("db"), slice_of("db", ["10.1.0.1"])
        )
        ports = {name: free_port() for name in ("port", "health", "metrics")}
        corefile, manifests = tmp_path / "Corefile", tmp_path / "manifests"
        manifests.mkdir()
        upstreams = {"upstream": talking.port, "silent": mute.port}
        corefile.write_text(COREFILE.format(api=api.url, manifests=manifests, **upstreams, **ports))
        with ServerProcess("-conf", corefile, "--workers", "2"):
            load = asyncio.create_task(asking(ports["port"], api))
            try:
                async with prometheus(ports["metrics"], tmp_path) as server:
                    left = await _until_found(server)
            finally:
                load.cancel()
                await asyncio.wait([load])
    assert left == []


async def _until_found(server: Prometheus) -> list[Read]:
    """What finds nothing by the end of our patience."""
    left = [*READS, *CHART_READS]
    try:
        async with asyncio.timeout(PATIENCE_S * 6):
            while left:
                await asyncio.sleep(PAUSE_S)
                left = await missing(server, left)
    except TimeoutError:
        pass  # the caller looks at what is left
    return left
