"""prometheus: what it is told."""

from pathlib import Path

import pytest

from dnsserver.plugins.prometheus import setup
from dnsserver.plugins.prometheus.settings import PrometheusSettings
from tests.plugins.helpers import directive, refused, site


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("prometheus", PrometheusSettings(host="localhost", port=9153)),
        ("prometheus :9253", PrometheusSettings(host="", port=9253)),
        ("prometheus [::1]:1", PrometheusSettings(host="::1", port=1)),
        ("prometheus {\n}", PrometheusSettings()),
        ("prometheus {\nruntime_metrics\n}", PrometheusSettings(runtime_metrics=True)),
        (
            "prometheus 127.0.0.1:0 {\nruntime_metrics\nruntime_metrics\n}",
            PrometheusSettings(host="127.0.0.1", port=0, runtime_metrics=True),
        ),
    ],
)
def test_settings(text: str, settings: PrometheusSettings) -> None:
    assert PrometheusSettings.from_directive(directive(text), NOWHERE) == settings


NOWHERE = Path("/nowhere")
ERROR = "Corefile:{} - Error during parsing: {}"
ARGUMENTS = "Wrong argument count or unexpected line ending after '{}'"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("prometheus bla", "address bla: missing port in address (Corefile:2)"),
        ("prometheus :99999", "address :99999: invalid port (Corefile:2)"),
        ("prometheus :1 :2", ERROR.format(2, ARGUMENTS.format(":2"))),
        ("prometheus {\nruntime_metrics yes\n}", ERROR.format(3, ARGUMENTS.format("yes"))),
        ("prometheus {\ntls\n}", ERROR.format(3, ARGUMENTS.format("tls"))),
        (
            "prometheus {\ntls web.yml\n}",
            "TLS config file /nowhere/web.yml: No such file or directory (Corefile:3)",
        ),
        ("prometheus {\nbuckets 1\n}", ERROR.format(3, "unknown option: buckets")),
        ("prometheus\nprometheus", "this plugin can only be used once per Server Block (Corefile:3)"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text, NOWHERE) == f"plugin/prometheus: {error}"


def test_plugin() -> None:
    plugin = setup(directive("prometheus :9253"), site())
    (route,) = plugin.routes
    assert (route.host, route.port, route.path) == ("", 9253, "/metrics")
    assert plugin.counted
    assert plugin.wrap is None, "counting is the dispatcher's"
