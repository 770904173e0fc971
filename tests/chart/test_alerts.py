"""The alerts: Prometheus's own tool takes them, each fires when it should and not before, and each is explained."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.chart.rendering import CHART, render
from tests.support.tools import run, tool

ALERTS = CHART / "files" / "alerts.yaml"
OPERATIONS = CHART.parent / "docs" / "operations.md"
JOB = 'job="kube-dns"'
#: Of the label that Prometheus adds to each target.
AT = f'instance="10.1.0.5:9153",{JOB}'
#: Minutes after which every alert has had its time: the longest `for` is 15.
LATE_M = 22


class Case(NamedTuple):
    """*alert* fires for these series, as promtool writes them, and not for `quiet` in place of them."""

    alert: str
    series: dict[str, str]
    quiet: dict[str, str]
    severity: str = "warning"


def rising(per_minute: float) -> str:
    return f"0+{per_minute:g}x30"


def always(value: float) -> str:
    return f"{value:g}+0x30"


def _slow(metric: str, labels: str) -> tuple[dict[str, str], dict[str, str]]:
    """A histogram whose requests all take more than 8 s; and one where all take less than half a second."""
    bounds = ("0.5", "8", "60", "+Inf")
    slow, fine = (dict.fromkeys(bounds, rising(60)) for _ in range(2))
    slow |= dict.fromkeys(bounds[:2], always(0))
    first, second = (
        {f'{metric}_bucket{{{labels},le="{bound}"}}': values for bound, values in each.items()}
        for each in (slow, fine)
    )
    return first, second


def _counter(metric: str, labels: str = AT) -> tuple[dict[str, str], dict[str, str]]:
    name = f"{metric}{{{labels}}}"
    return {name: rising(5)}, {name: always(7)}


def _gauge(metric: str, bad: float, labels: str = AT) -> tuple[dict[str, str], dict[str, str]]:
    name = f"{metric}{{{labels}}}"
    return {name: always(bad)}, {name: always(1 - bad)}


def _share(metric: str, labels: str, bad: float, good: float) -> tuple[dict[str, str], dict[str, str]]:
    """SERVFAIL as *bad* (and *good*) of a hundred replies."""
    failed, fine = (f'{metric}{{{labels},rcode="{rcode}"}}' for rcode in ("SERVFAIL", "NOERROR"))
    return (
        {failed: rising(bad), fine: rising(100 - bad)},
        {failed: rising(good), fine: rising(100 - good)},
    )


ZONE = f'server="dns://:53",zone=".",{AT}'
TO = f'to="192.0.2.1:53",proxy_name="forward",{AT}'
FEED = f'zone="cluster.local.",feed="services",{AT}'
OTHER = 'instance="10.1.0.6:9153",job="kube-dns"'
CASES = (
    Case("CoreDNSDown", {f"up{{{AT}}}": always(0)}, {f"up{{{AT}}}": always(1)}, "critical"),
    Case("CoreDNSLatencyHigh", *_slow("coredns_dns_request_duration_seconds", ZONE), "critical"),
    Case("CoreDNSErrorsHigh", *_share("coredns_dns_responses_total", ZONE, 4, 2), "critical"),
    Case("CoreDNSErrorsHigh", *_share("coredns_dns_responses_total", ZONE, 2, 0.5)),
    Case("CoreDNSForwardLatencyHigh", *_slow("coredns_proxy_request_duration_seconds", TO), "critical"),
    Case("CoreDNSForwardErrorsHigh", *_share("coredns_proxy_request_duration_seconds_count", TO, 4, 2)),
    Case("CoreDNSForwardHealthcheckFailureCount", *_counter("coredns_proxy_healthcheck_failures_total", TO)),
    Case(
        "CoreDNSForwardHealthcheckBrokenCount",
        *_counter("coredns_forward_healthcheck_broken_total"),
        "critical",
    ),
    Case("CoreDNSHealthCheckSlow", *_slow("coredns_health_request_duration_seconds", AT)),
    Case("CoreDNSPanicking", *_counter("coredns_panics_total")),
    Case("CoreDNSReloadFailed", *_counter("coredns_reload_failed_total")),
    Case("DNSServerNotSynced", *_gauge("dnsserver_kubernetes_synced", 0, FEED), "critical"),
    Case("DNSServerEarlierState", *_gauge("dnsserver_kubernetes_restored", 1, FEED)),
    Case("DNSServerFeedStale", *_gauge("dnsserver_kubernetes_feed_stale", 1, FEED)),
    Case("DNSServerProcessRestarts", *_counter("dnsserver_process_restarts_total", f'role="worker",{AT}')),
    Case("DNSServerLoop", *_gauge("dnsserver_loop_detected", 1, f'zone=".",{AT}'), "critical"),
    Case("DNSServerForwardRefuses", *_counter("coredns_forward_max_concurrent_rejects_total")),
    Case("DNSServerUnanswered", *_counter("dnsserver_transport_unanswered_total", f'reason="late",{AT}')),
    Case("DNSServerTCPRefused", *_counter("dnsserver_transport_tcp_refused_total", f'reason="full",{AT}')),
    Case("DNSServerManifestErrors", *_counter("dnsserver_manifest_errors_total")),
    Case("DNSServerMisjudged", *_counter("dnsserver_misjudged_total")),
    Case(
        "DNSServerCorefilesDiffer",
        {
            f'coredns_reload_version_info{{value="{value}",{labels}}}': always(1)
            for value, labels in (("a", AT), ("b", OTHER))
        },
        {f'coredns_reload_version_info{{value="a",{labels}}}': always(1) for labels in (AT, OTHER)},
    ),
)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def unit_test(case: Case, series: dict[str, str], firing: int) -> dict[str, Any]:
    """That *firing* alerts of this name and severity are there in the end, and none in the first minute."""
    alert = f'ALERTS{{alertname="{case.alert}",alertstate="firing",severity="{case.severity}"}}'
    count = f"count({alert}) or vector(0)"
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": count, "eval_time": f"{LATE_M}m", "exp_samples": [{"labels": "{}", "value": firing}]},
            {"expr": count, "eval_time": "0m", "exp_samples": [{"labels": "{}", "value": 0}]},
        ],
    }


#: Seconds. Each of the tests is a database of its own: some seconds on a quiet machine, many on a busy one.
PROMTOOL_S = 120.0


@pytest.mark.tool("promtool")
def test_prometheus_takes_them() -> None:
    done = run([tool("promtool"), "check", "rules", ALERTS])
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules())} rules found" in done.stdout


@pytest.mark.tool("promtool")
def test_each_fires_when_it_should(tmp_path: Path) -> None:
    tests = [unit_test(case, case.series, 1) for case in CASES] + [
        unit_test(case, case.quiet, 0) for case in CASES
    ]
    file = tmp_path / "tests.yaml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests})
    )
    done = run([tool("promtool"), "test", "rules", file], patience_s=PROMTOOL_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_has_a_case() -> None:
    tested = [(case.alert, case.severity) for case in CASES]
    assert sorted(tested) == sorted((rule["alert"], rule["labels"]["severity"]) for rule in rules())


def labels_of(expression: str, case: Case) -> set[str]:
    """The labels that the result of *expression* has: those that it groups by, or those of the series."""
    grouped = re.search(r"\b(?:sum|count) by \(([^)]*)\)", expression)
    if grouped:
        return {name.strip() for name in grouped[1].split(",")}
    return {name for series in case.series for name in re.findall(r'(\w+)="', series)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert} {case.severity}")
def test_summary_names_only_labels_that_are_there(case: Case) -> None:
    (rule,) = (
        rule for rule in rules() if (rule["alert"], rule["labels"]["severity"]) == (case.alert, case.severity)
    )
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert used <= labels_of(rule["expr"], case)


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in rules()}))
def test_each_is_explained(name: str) -> None:
    """In docs/operations.md under a heading that is its name, which its annotation points at."""
    section = OPERATIONS.read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(rf"^### {name}$", section, re.MULTILINE) == [f"### {name}"]
    for rule in rules():
        if rule["alert"] == name:
            assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"


@pytest.mark.tool("helm")
def test_chart_has_them_all() -> None:
    spec = render({"prometheus": {"rules": {"enabled": True}}}).get("PrometheusRule")["spec"]
    assert spec == yaml.safe_load(ALERTS.read_text())


@pytest.mark.tool("helm")
@pytest.mark.parametrize("job", ["a: b", "a # b", "é"])
def test_any_job(job: str) -> None:
    """Also one that would be something else in YAML."""
    (group, _) = render({"prometheus": {"rules": {"enabled": True, "job": job}}}).get("PrometheusRule")[
        "spec"
    ]["groups"]
    assert group["rules"][0]["expr"] in (f'absent(up{{job="{job}"}} == 1)', r'absent(up{job="\u00e9"} == 1)')
