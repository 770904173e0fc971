"""Expressions of the dashboards and alerts that read CoreDNS's metrics (coredns-compat.md, section 4.3).

Reduced to what decides whether they find their series: metric, selectors, grouping. `$instance` and the like are `.+`.
"""

from collections.abc import Iterator
from typing import NamedTuple

JOB = 'job="kube-dns"'
#: What a rate is taken over.
SPAN = "5m"


class Read(NamedTuple):
    """One expression. `wanted`: labels that the result has to have."""

    reader: str
    expression: str
    wanted: str = ""


def _rate(metric: str, *selectors: str) -> str:
    return f"rate({metric}{{{','.join((JOB, *selectors))}}}[{SPAN}])"


def _by(labels: str, inner: str) -> str:
    return f"sum({inner}) by ({labels})"


def _quantile(share: float, metric: str, labels: str = "") -> str:
    grouped = _by(f"le, {labels}" if labels else "le", _rate(f"{metric}_bucket"))
    return f"histogram_quantile({share}, {grouped})"


MIXIN = "coredns-mixin"
STACK = "kube-prometheus-stack"
GRAFANA = "Grafana 15762"
ALERT = "coredns-mixin alert"


def _mixin() -> Iterator[Read]:
    yield Read(MIXIN, f"sum(up{{{JOB}}})")
    yield Read(MIXIN, f"sum({_rate('coredns_panics_total')})")
    yield Read(MIXIN, _by("rcode", _rate("coredns_dns_responses_total")), "rcode")
    yield Read(MIXIN, _quantile(0.99, "coredns_dns_request_duration_seconds", "server, zone"), "server zone")
    yield Read(MIXIN, _by("type", _rate("coredns_dns_requests_total")), "type")
    yield Read(MIXIN, _by("zone", _rate("coredns_dns_requests_total")), "zone")
    yield Read(MIXIN, f"sum({_rate('coredns_forward_healthcheck_broken_total')})")
    yield Read(
        MIXIN,
        _quantile(0.99, "coredns_kubernetes_dns_programming_duration_seconds", "service_kind"),
        "service_kind",
    )
    yield Read(MIXIN, f"count(coredns_plugin_enabled{{{JOB}}}) by (name)", "name")
    yield Read(
        MIXIN, _quantile(0.99, "coredns_dns_request_size_bytes", "server, zone, proto"), "server zone proto"
    )
    yield Read(
        MIXIN, _quantile(0.5, "coredns_dns_response_size_bytes", "server, zone, proto"), "server zone proto"
    )
    yield Read(MIXIN, f"sum(coredns_cache_entries{{{JOB}}}) by (type)", "type")
    yield Read(MIXIN, _by("type", _rate("coredns_cache_hits_total")), "type")
    yield Read(MIXIN, f"sum({_rate('coredns_cache_misses_total')})")
    yield Read(MIXIN, f"process_resident_memory_bytes{{{JOB}}}")
    yield Read(MIXIN, _rate("process_cpu_seconds_total"))
    yield Read(MIXIN, f"go_goroutines{{{JOB}}}")
    yield Read(MIXIN, f"count(coredns_build_info{{{JOB}}}) by (instance, version)", "instance version")


def _alerts() -> Iterator[Read]:
    yield Read(
        ALERT,
        f"histogram_quantile(0.99, sum({_rate('coredns_dns_request_duration_seconds_bucket')}) "
        "without (instance, pod))",
        "server zone",
    )
    errors = _rate("coredns_dns_responses_total", 'rcode="SERVFAIL"')
    without = "sum without (pod, instance, server, zone, view, rcode, plugin)"
    yield Read(ALERT, f"{without} ({errors}) / {without} ({_rate('coredns_dns_responses_total')})")
    yield Read(
        ALERT,
        f"histogram_quantile(0.99, sum({_rate('coredns_proxy_request_duration_seconds_bucket')}) "
        "without (pod, instance, rcode))",
        "to proxy_name",
    )
    failed = _rate("coredns_proxy_request_duration_seconds_count", 'rcode="SERVFAIL"')
    unlabelled = "sum without (pod, instance, rcode)"
    yield Read(
        ALERT,
        f"{unlabelled} ({failed}) / {unlabelled} ({_rate('coredns_proxy_request_duration_seconds_count')})",
        "to",
    )
    yield Read(
        ALERT, f"sum without (pod, instance) ({_rate('coredns_proxy_healthcheck_failures_total')})", "to"
    )
    yield Read(ALERT, f"sum without (pod, instance) ({_rate('coredns_forward_healthcheck_broken_total')})")
    yield Read("OpenShift alert", f"increase(coredns_panics_total{{{JOB}}}[10m])")
    yield Read(
        "OpenShift alert", _quantile(0.95, "coredns_health_request_duration_seconds", "instance"), "instance"
    )
    fast = _rate("coredns_dns_request_duration_seconds_bucket", 'le=~"0.032|0.032.*"')
    every = _rate("coredns_dns_request_duration_seconds_count")
    yield Read("kube-prometheus SLO", f"sum({fast}) / sum({every})")


def _stack() -> Iterator[Read]:
    yield Read(STACK, _by("proto", _rate("coredns_dns_requests_total")), "proto")
    yield Read(STACK, _by("type", _rate("coredns_dns_requests_total", 'instance=~".+"')), "type")
    yield Read(STACK, _by("zone", _rate("coredns_dns_requests_total")), "zone")
    yield Read(STACK, f"sum({_rate('coredns_dns_do_requests_total')})")
    for size in ("request", "response"):
        for proto in ("udp", "tcp"):
            metric = f"coredns_dns_{size}_size_bytes_bucket"
            inner = _by("le, proto", _rate(metric, f'proto="{proto}"'))
            yield Read(STACK, f"histogram_quantile(0.99, {inner})", "proto")
    yield Read(STACK, _by("rcode, job", _rate("coredns_dns_responses_total")), "rcode job")
    yield Read(STACK, _quantile(0.9, "coredns_dns_request_duration_seconds", "job"), "job")
    yield Read(STACK, f"sum(coredns_cache_entries{{{JOB}}}) by (type)", "type")
    yield Read(STACK, _by("type", _rate("coredns_cache_hits_total")), "type")
    yield Read(STACK, f"sum({_rate('coredns_cache_misses_total')})")


def _grafana() -> Iterator[Read]:
    yield Read(GRAFANA, f'up{{{JOB}, instance=~".+"}}')
    yield Read(GRAFANA, f"sum({_rate('process_cpu_seconds_total')}) by (instance)", "instance")
    yield Read(GRAFANA, f"sum(process_resident_memory_bytes{{{JOB}}}) by (instance)", "instance")
    yield Read(GRAFANA, _by("proto", _rate("coredns_dns_requests_total")), "proto")
    yield Read(GRAFANA, _by("type", _rate("coredns_dns_requests_total")), "type")
    total = f"sum({_rate('coredns_dns_request_size_bytes_sum')}) by (proto)"
    count = f"sum({_rate('coredns_dns_request_size_bytes_count')}) by (proto)"
    yield Read(GRAFANA, f"{total} / {count}", "proto")
    yield Read(GRAFANA, _by("rcode", _rate("coredns_dns_responses_total")), "rcode")
    forwarded = _rate("coredns_proxy_request_duration_seconds_count", 'proxy_name="forward"')
    yield Read(GRAFANA, _by("rcode", forwarded), "rcode")
    yield Read(GRAFANA, _by("to", forwarded), "to")
    hits, misses = (f"sum({_rate(f'coredns_cache_{kind}_total')})" for kind in ("hits", "misses"))
    yield Read(GRAFANA, f"{hits} / ({hits} + {misses})")
    yield Read(GRAFANA, f"sum(coredns_cache_entries{{{JOB}}}) by (type)", "type")
    yield Read(
        GRAFANA, f"sum(increase(coredns_dns_request_duration_seconds_bucket{{{JOB}}}[{SPAN}])) by (le)", "le"
    )
    yield Read(
        GRAFANA, f"sum(increase(coredns_dns_request_size_bytes_bucket{{{JOB}}}[{SPAN}])) by (le)", "le"
    )


READS = (*_mixin(), *_alerts(), *_stack(), *_grafana())
