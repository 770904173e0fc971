"""docs/operations.md: its metrics are in our output, its commands are understood, its references lead somewhere."""

import re
from pathlib import Path

import pytest

from dnsserver.cli import COMMANDS
from dnsserver.commands import check, explain, serve
from tests.docs.pages import DOCS, headings, metrics
from tests.end_to_end.commands import DEMO, answers, get, running, started
from tests.support.process import free_port, wait_until
from tests.support.upstream import closed_port

PAGE = DOCS / "operations.md"
TEXT = PAGE.read_text()
PARSERS = {"check": check._parser, "explain": explain._parser, "serve": serve._parser}
#: Of Kubernetes, and of Go's client library, which have these names too.
OTHERS = {"container_cpu_cfs_throttled_periods_total"}


def test_anchors_exist() -> None:
    anchors = headings(TEXT)
    found = re.findall(r"\]\(#([\w-]+)\)", TEXT)
    assert len(found) > 10
    assert [anchor for anchor in found if anchor not in anchors] == []


def test_commands_of_ours_exist() -> None:
    named = set(re.findall(r"`dnsserver ([a-z]+)", TEXT))
    assert named >= {"check", "serve", "compare"}
    assert named <= COMMANDS.keys()


@pytest.mark.parametrize("command", re.findall(r"`dnsserver ([a-z]+ [^`]+)`", TEXT))
def test_commands_are_understood(command: str) -> None:
    name, *words = command.split()
    assert PARSERS[name]().parse_args(words)


def corefile(port: int, http: int, hosts: Path, upstream: int) -> str:
    """Of a server that has most plugins, and their metrics with them."""
    plugins = (
        *("bind 127.0.0.1", "errors", f"health 127.0.0.1:{free_port()}", f"ready 127.0.0.1:{free_port()}"),
        f"kubernetes cluster.local {{\nmanifests {DEMO}\n}}",
        f"hosts {hosts} {{\nfallthrough\n}}",
        f"prometheus 127.0.0.1:{http} {{\nruntime_metrics\n}}",
        f"forward lost.test 127.0.0.1:{closed_port()}",
        *(f"forward . 127.0.0.1:{upstream}", "cache 30", "loop", "reload", "loadbalance"),
    )
    return "\n".join((f".:{port} {{", *plugins, "}", ""))


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all series and families."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "hosts").write_text("10.0.0.1 a.hosts\n")
    port, http, other = free_port(), free_port(), free_port()
    with (
        started("serve", DEMO, "--port", str(other), cwd=folder, until="Stop with"),
        running(folder, corefile(port, http, folder / "hosts", other), "--workers", "1"),
    ):
        answers(port, name="nginx.default.svc.cluster.local")
        answers(port, name="www.example.com")
        answers(port, name="a.lost.test")
        awaited = (
            "coredns_proxy_request_duration_seconds_bucket",
            "coredns_proxy_healthcheck_failures_total",
        )
        wait_until(
            lambda: all(metric in get(http, "/metrics")[1] for metric in awaited),
            lambda: get(http, "/metrics")[1],
        )
        text = get(http, "/metrics")[1]
    return set(re.findall(r"^(?:# TYPE )?([a-z]\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["operations.md", "migration.md"])
def test_metrics_are_in_our_output(name: str, exposed: set[str]) -> None:
    named = metrics((DOCS / name).read_text()) - OTHERS
    # Of other versions of CoreDNS, where the page says so.
    named = {metric for metric in named if not metric.startswith("coredns_forward_request")}
    assert len(named) > 1
    assert sorted(named - exposed) == []


def test_metrics_of_the_alerts_are_in_our_output(exposed: set[str]) -> None:
    text = (DOCS.parent / "chart" / "files" / "alerts.yaml").read_text()
    assert sorted(metrics(text) - exposed) == []
