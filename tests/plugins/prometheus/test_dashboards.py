"""The series that known dashboards and alerts read (coredns-compat.md, section 4.3)."""

from pathlib import Path

import pytest

import dnsserver.plugins.prometheus
from tests.plugins.prometheus.scraping import Scrape, ask_with_do, scrape
from tests.runtime.helpers import ask, server_of
from tests.support.process import free_port

README = Path(dnsserver.plugins.prometheus.__file__).parent / "README.md"

#: Metric, and the labels that some consumer sums by or selects with. `mixin`: coredns-mixin, `stack`:
#: kube-prometheus-stack, `15762`: that board of Grafana's.
READ = (
    ("coredns_build_info", "", "mixin: label_values(coredns_build_info, pod)"),
    ("coredns_panics_total", "", "mixin, OpenShift alert"),
    ("coredns_plugin_enabled", "name", "mixin: count by (name)"),
    ("coredns_dns_requests_total", "type zone proto", "mixin, stack, 15762"),
    ("coredns_dns_do_requests_total", "zone", "stack"),
    ("coredns_dns_responses_total", "rcode", "mixin, stack, 15762; CoreDNSErrorsHigh"),
    ("coredns_dns_request_duration_seconds_bucket", "server zone le", "mixin; CoreDNSLatencyHigh"),
    ("coredns_dns_request_duration_seconds_count", "server", "kube-prometheus, Pyrra"),
    ("coredns_dns_request_size_bytes_bucket", "proto le", "mixin, stack"),
    ("coredns_dns_request_size_bytes_sum", "", "15762"),
    ("coredns_dns_request_size_bytes_count", "", "15762"),
    ("coredns_dns_response_size_bytes_bucket", "proto le", "mixin, stack"),
    ("process_resident_memory_bytes", "", "mixin, 15762"),
    ("process_cpu_seconds_total", "", "mixin, 15762"),
    ("go_goroutines", "", "mixin; with runtime_metrics"),
)
#: Read by the same consumers, and not there yet; the plugin's README says so.
NOT_YET = (
    "coredns_cache_entries",
    "coredns_cache_hits_total",
    "coredns_cache_misses_total",
    "coredns_forward_healthcheck_broken_total",
    "coredns_health_request_duration_seconds",
    "coredns_kubernetes_dns_programming_duration_seconds",
    "coredns_proxy_request_duration_seconds",
)


async def scraped() -> Scrape:
    port, http = free_port(), free_port()
    text = f".:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http} {{\nruntime_metrics\n}}\nwhoami\n}}\n"
    async with server_of(text):
        await ask_with_do(port, "a.test")
        return await scrape(http)


@pytest.mark.parametrize(("metric", "labels", "reader"), READ)
async def test_series_is_there(metric: str, labels: str, reader: str) -> None:
    own = [set(found) for name, found, _ in await scraped() if name == metric]
    assert own, f"{reader} finds nothing"
    assert all(found >= set(labels.split()) for found in own)


async def test_share_of_errors_can_be_computed() -> None:
    """CoreDNSErrorsHigh: SERVFAIL by all."""
    port, http = free_port(), free_port()
    async with server_of(f".:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nerrors\n}}\n"):
        for _ in range(2):
            await ask(port, "a.test")
        found = await scrape(http)
    assert found.series("coredns_dns_responses_total", rcode="SERVFAIL", zone=".", plugin="") == {
        f"server=dns://127.0.0.1:{port}": 2
    }


async def test_what_is_not_there_yet() -> None:
    names = {name for name, _, _ in await scraped()}
    families = {"_".join(name.split("_")[:2]) for name in NOT_YET}
    assert not [name for name in names if name.startswith(tuple(families))]
    assert [family for family in families if f"{family}_" not in README.read_text()] == []
