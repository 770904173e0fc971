"""health: where it is served, and lameduck."""

import asyncio
import logging

import pytest

from dnsserver.observability.families import AnyFamily, HistogramFamily
from dnsserver.plugins.health import probing, setup
from dnsserver.plugins.health.probing import SelfProbe
from dnsserver.plugins.health.settings import HealthSettings
from tests.plugins.helpers import directive, refused, site


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("health", HealthSettings(host="", port=8080, lameduck_s=0)),
        ("health :8085", HealthSettings(port=8085)),
        ("health localhost:0", HealthSettings(host="localhost", port=0)),
        ("health [::1]:8085", HealthSettings(host="::1", port=8085)),
        ("health {\nlameduck 1m1.5s\n}", HealthSettings(lameduck_s=61.5)),
        ("health {\nlameduck -5s\n}", HealthSettings()),
        ("health :8085 {\nlameduck 5s\n}\nhealth", HealthSettings(port=8085, lameduck_s=5)),
        ("health :8085\nhealth 10.0.0.1:8086", HealthSettings(host="10.0.0.1", port=8086)),
    ],
)
def test_settings(text: str, settings: HealthSettings) -> None:
    assert HealthSettings.from_directive(directive(text)) == settings


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("health bla", "address bla: missing port in address (Corefile:2)"),
        ("health ::1", "address ::1: too many colons in address (Corefile:2)"),
        ("health [::1]", "address [::1]: missing port in address (Corefile:2)"),
        ("health [::1:80", "address [::1:80: missing ']' in address (Corefile:2)"),
        ("health [::1]x:80", "address [::1]x:80: missing port in address (Corefile:2)"),
        ("health [::1]:8:80", "address [::1]:8:80: too many colons in address (Corefile:2)"),
        ("health a]b:80", "address a]b:80: unexpected ']' in address (Corefile:2)"),
        ("health a[b:80", "address a[b:80: unexpected '[' in address (Corefile:2)"),
        ("health :http", "address :http: invalid port (Corefile:2)"),
        ("health :65536", "address :65536: invalid port (Corefile:2)"),
        ("health :", "address :: invalid port (Corefile:2)"),
        (
            "health :1 :2",
            "Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after ':2'",
        ),
        ("health {\nlame 5s\n}", "Corefile:3 - Error during parsing: unknown property 'lame'"),
        (
            "health {\nlameduck\n}",
            "Corefile:3 - Error during parsing: "
            "Wrong argument count or unexpected line ending after 'lameduck'",
        ),
        (
            "health {\nlameduck 5\n}",
            "unable to parse lameduck duration value: '5' : "
            'time: missing unit in duration "5" (Corefile:3)',
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/health: {error}"


def test_plugin() -> None:
    plugin = setup(directive("health 127.0.0.1:8085 {\nlameduck 5s\n}"), site())
    (route,) = plugin.routes
    assert (route.host, route.port, route.path) == ("127.0.0.1", 8085, "/health")
    assert (route.answer().status, route.answer().body) == (200, b"OK")
    assert plugin.lameduck_s == 5
    assert plugin.wrap is None


def numbers(probe: SelfProbe) -> tuple[list[int], float]:
    """Observations by bucket, and failures."""
    found: dict[str, AnyFamily] = {family.name: family for family in probe.families()}
    seconds = found["coredns_health_request_duration_seconds"]
    assert isinstance(seconds, HistogramFamily)
    failures = found["coredns_health_request_failures_total"].samples[0][1]
    assert isinstance(failures, int | float)
    return seconds.samples[0][1].counts, failures


async def test_the_process_looks_at_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PAUSE_S", 0.001)
    asked = asyncio.Event()
    requests = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readline())
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nOK")
        writer.close()
        if len(requests) > 1:
            asked.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        probe = SelfProbe("127.0.0.1", server.sockets[0].getsockname()[1])
        async with probe.lifespan():
            await asyncio.wait_for(asked.wait(), 10)
    counts, failures = numbers(probe)
    assert set(requests) == {b"GET /health HTTP/1.1\r\n"}
    assert sum(counts) >= 1
    assert failures == 0


async def test_failures_are_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        probe = SelfProbe("127.0.0.1", port)
        await probe.look()
    await probe.look()
    counts, failures = numbers(probe)
    assert (sum(counts), failures) == (2, 2)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    start = f'Local health request to "http://127.0.0.1:{port}/health" failed: '
    assert all(record.getMessage().startswith(start) for record in caplog.records)
