"""docs/migration.md: our commands are run as far as no cluster is needed, those of helm render the chart."""

import re
from pathlib import Path

import pytest

from dnsserver.commands import check, compare
from tests.chart.rendering import CHART, KUBE_VERSION, helm
from tests.docs.pages import DOCS, Command, commands, headings
from tests.end_to_end.commands import DEMO, finish, started
from tests.support.process import free_port

PAGE = DOCS / "migration.md"
COMMANDS = commands(PAGE)
OURS = [command for command in COMMANDS if command.ours is not None]
CHARTS = [command for command in COMMANDS if command.words[0] == "helm" and "chart" in command.words]
PARSERS = {"check": check._parser, "compare": compare._parser}


def test_there_are_commands() -> None:
    assert len(OURS) >= 5
    assert len(CHARTS) >= 6
    assert {(command.ours or [""])[0] for command in OURS} == set(PARSERS)


@pytest.mark.parametrize("command", OURS, ids=str)
def test_our_commands_are_understood(command: Command) -> None:
    name, *words = command.ours or []
    assert PARSERS[name]().parse_args(words)


@pytest.mark.tool("helm")
@pytest.mark.parametrize("command", CHARTS, ids=str)
def test_values_of_the_chart_render(command: Command) -> None:
    _, verb, *words = command.words
    assert verb in ("install", "upgrade")
    words = [str(CHART) if word == "chart" else word for word in words if word != "--install"]
    text = helm("template", *words, "--kube-version", KUBE_VERSION)
    assert "registry.example/dnsserver" in text
    if "service.joinExisting=kube-dns" in words:
        assert "kind: Service\n" not in text
    if "k8sAppLabelOverride=dns-shadow" in words:
        assert "k8s-app: kube-dns" not in text, "the shadow would be asked by clients"
        assert "helm.sh/resource-policy: keep" not in text, "the shadow's Service would stay"


def test_what_needs_no_cluster_runs(tmp_path: Path) -> None:
    """Check and compare, with servers of ours in the places of both, and the demo's questions as the log."""
    port = free_port()
    line = (
        '[INFO] 10.0.0.7:5 - 9 "A IN nginx.default.svc.cluster.local. udp 60 false 1232" NOERROR qr 80 0.1s\n'
    )
    (tmp_path / "queries.log").write_text(line)
    (tmp_path / "Corefile").write_text(".:53 {\n    errors\n    kubernetes cluster.local\n}\n")
    ran = []
    with started("serve", DEMO, "--port", str(port), cwd=tmp_path, until="Stop with"):
        for command in OURS:
            if command.words[0] != "dnsserver" or "--kubeconfig" in command.words:
                continue
            words = [
                f"127.0.0.1:{port}" if re.match(r"10\.96\.", word) else word for word in command.ours or []
            ]
            done = finish(*words, cwd=tmp_path)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            ran.append(words[0])
    assert sorted(ran) == ["check", "compare"]


def test_every_platform_has_its_section() -> None:
    text = PAGE.read_text()
    anchors = headings(text)
    linked = re.findall(r"\]\(#([\w-]+)\)", text)
    assert len(linked) > 10
    assert [anchor for anchor in linked if anchor not in anchors] == []


def test_links_to_other_pages_lead_to_headings() -> None:
    pages = {path.name: headings(path.read_text()) for path in DOCS.glob("*.md")}
    for path in DOCS.glob("*.md"):
        for target, anchor in re.findall(r"\]\((\w+\.md)#([\w-]+)\)", path.read_text()):
            assert anchor in pages[target], f"{path.name}: {target}#{anchor}"
