"""trace: read, told of, without effect."""

import logging

import pytest

from dnsserver.plugins.trace import setup
from tests.plugins.helpers import directive, refused, site

ALL = """\
trace Datadog localhost:8126 {
    every 10
    service name
    client_server
    client_server false
    datadog_analytics_rate 0.5
    datadog_analytics_rate
    zipkin_max_backlog_size 1000
    zipkin_max_batch_size 100
    zipkin_max_batch_interval 5s
}"""


@pytest.mark.parametrize("text", ["trace", "trace tracinghost:9253", ALL])
async def test_accepted_with_a_warning(text: str, caplog: pytest.LogCaptureFixture) -> None:
    plugin = setup(directive(text), site())
    assert plugin.wrap is None
    assert plugin.follow is not None
    async with plugin.follow():
        assert [record.levelno for record in caplog.records] == [logging.WARNING]


def ending(token: str) -> str:
    return (
        f"Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after '{token}'"
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("every", ending("every")),
        ("every x", 'strconv.ParseUint: parsing "x": invalid syntax (Corefile:3)'),
        ("service", ending("service")),
        ("client_server maybe", 'strconv.ParseBool: parsing "maybe": invalid syntax (Corefile:3)'),
        ("client_server true x", ending("x")),
        ("datadog_analytics_rate x", 'strconv.ParseFloat: parsing "x": invalid syntax (Corefile:3)'),
        (
            "datadog_analytics_rate 2",
            "datadog analytics rate must be between 0 and 1, '2.000000' is not supported (Corefile:3)",
        ),
        ("zipkin_max_backlog_size x", 'strconv.Atoi: parsing "x": invalid syntax (Corefile:3)'),
        ("zipkin_max_batch_size x", 'strconv.Atoi: parsing "x": invalid syntax (Corefile:3)'),
        ("zipkin_max_batch_interval 5", 'time: missing unit in duration "5" (Corefile:3)'),
        ("sample 1", "Corefile:3 - Error during parsing: unknown property 'sample'"),
    ],
)
def test_refused(line: str, error: str) -> None:
    assert refused(setup, f"trace {{\n{line}\n}}") == f"plugin/trace: {error}"


def test_refused_provider() -> None:
    expected = "plugin/trace: tracing endpoint type 'jaeger' is not supported (Corefile:2)"
    assert refused(setup, "trace Jaeger localhost:1") == expected
