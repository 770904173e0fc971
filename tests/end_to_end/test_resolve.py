"""`dnsserver resolve`: who asks, what is asked, and how it is told."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.commands import DEMO, Finish, started
from tests.support.process import free_port

MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: prod}
spec: {clusterIP: 10.9.0.80, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: prod}
spec: {hostAliases: [{ip: 192.0.2.7, hostnames: [legacy]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: tuned, namespace: prod}
spec: {dnsConfig: {options: [{name: ndots, value: "1"}, {name: single-request}], nameservers: [192.0.2.53]}}
---
apiVersion: v1
kind: Pod
metadata: {name: on-node, namespace: prod}
spec: {hostNetwork: true}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: prod}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {dnsConfig: {searches: [corp.test]}}
"""


@pytest.fixture
def manifests(tmp_path: Path) -> str:
    (tmp_path / "all.yaml").write_text(MANIFESTS)
    return "all.yaml"


def asked(call: Finish, *words: str) -> tuple[list[str], dict[str, object]]:
    """Types and names of the queries, and the whole look-up; exit code and addresses fit."""
    done = call("resolve", "--json", *words)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["schema"] == "dnsserver.resolve/1"
    (lookup,) = told["lookups"]
    assert done.returncode == (0 if lookup["addresses"] else 1)
    return [f"{query['type']} {query['name']}" for query in lookup["queries"]], lookup


@pytest.mark.parametrize("library", ["glibc", "glibc-2.31", "musl", "musl-1.2.3", "go"])
def test_service_of_the_pods_namespace(call: Finish, manifests: str, library: str) -> None:
    lines, lookup = asked(call, "web", "--from", "prod/plain", "--libc", library, manifests)
    assert lines == ["A web.prod.svc.cluster.local.", "AAAA web.prod.svc.cluster.local."]
    assert lookup["addresses"] == ["10.9.0.80"]
    assert lookup["from"] == "Pod prod/plain (dnsPolicy ClusterFirst)"


def test_service_of_another_namespace_is_not_found_by_its_name_alone(call: Finish, manifests: str) -> None:
    lines, lookup = asked(call, "web", manifests)
    suffixes = ("default.svc.cluster.local.", "svc.cluster.local.", "cluster.local.", "")
    assert lines[::2] == [f"A web.{suffix}" for suffix in suffixes]
    assert lookup["error"] == "EAI_NONAME"


def test_dns_config_counts(call: Finish, manifests: str) -> None:
    lines, lookup = asked(call, "web.prod", "--from", "prod/tuned", manifests)
    assert lines == [
        "A web.prod.",
        "AAAA web.prod.",
        "A web.prod.prod.svc.cluster.local.",
        "AAAA web.prod.prod.svc.cluster.local.",
        "A web.prod.svc.cluster.local.",
        "AAAA web.prod.svc.cluster.local.",
    ]
    assert lookup["not_asked"] == ["192.0.2.53"]


def test_workload_stands_for_its_pods(call: Finish, manifests: str) -> None:
    lines, _ = asked(call, "nope", "--from", "prod/shop", "--type", "A", manifests)
    assert lines[-2:] == ["A nope.corp.test.", "A nope."]


def test_host_aliases_spare_queries(call: Finish, manifests: str) -> None:
    lines, lookup = asked(call, "legacy", "--from", "prod/plain", manifests)
    assert (lines, lookup["addresses"], lookup["seconds"]) == ([], ["192.0.2.7"], 0)


def test_another_name_server(call: Finish, manifests: str, server: int) -> None:
    """Both have their place: that of the cluster, made of manifests, is silent here."""
    (Path.cwd() / "faults.txt").write_text("drop\n")
    words = ("web.prod.svc.cluster.local.", "--from", "prod/tuned", manifests, "--faults", "faults.txt")
    lines, lookup = asked(
        call, *words, "--patience", "200ms", "--nameserver", f"192.0.2.53=127.0.0.1:{server}"
    )
    assert lookup["addresses"] == []
    assert [line.split()[0] for line in lines] == ["A", "A", "AAAA"]
    assert lookup["seconds"] == pytest.approx(5, abs=0.6)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """The port of a server of the demonstration's cluster."""
    port = free_port()
    with started("serve", DEMO, "--port", str(port), cwd=tmp_path, until="Stop with"):
        yield port


def test_running_server(call: Finish, server: int) -> None:
    _, lookup = asked(call, "nginx", "--server", f"127.0.0.1:{server}", "--libc", "musl")
    assert lookup["addresses"] == ["10.8.5.220"]


@pytest.mark.parametrize("wait", [(), ("--wait",)])
@pytest.mark.parametrize(
    ("address", "told"), [("255.255.255.255", "no way there"), ("127.0.0.1", "nobody listens there")]
)
def test_server_that_is_not_there(call: Finish, address: str, told: str, wait: tuple[str, ...]) -> None:
    done = call("resolve", "web", "--server", f"{address}:{free_port()}", *wait)
    assert done.returncode == 1
    assert told in done.stdout
    assert "EAI_AGAIN: Temporary failure in name resolution (4 queries, 0 answers, 0.0 s)" in done.stdout


def test_given_resolv_conf(call: Finish, manifests: str) -> None:
    (Path.cwd() / "resolv.conf").write_text(
        "search svc.cluster.local\nnameserver 192.0.2.9\noptions ndots:2\n"
    )
    lines, lookup = asked(call, "web.prod", "--resolv-conf", "resolv.conf", "--type", "A", manifests)
    assert (lines, lookup["addresses"]) == (["A web.prod.svc.cluster.local."], ["10.9.0.80"])


def test_several_libraries(call: Finish, manifests: str) -> None:
    done = call("resolve", "web", "--from", "prod", "--libc", "glibc", "--libc", "musl", manifests)
    first, second = done.stdout.split("\n\nweb, asked for by ")
    assert "with glibc" in first
    assert "with musl" in second
    assert done.returncode == 0


def test_waiting_really(call: Finish, manifests: str) -> None:
    _, lookup = asked(call, "web", "--from", "prod", "--wait", manifests)
    assert lookup["addresses"] == ["10.9.0.80"]


@pytest.mark.usefixtures("manifests")
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (
            ("web", "--from", "prod/plian", "all.yaml"),
            1,
            "no pod prod/plian in the manifests: there are plain",
        ),
        (("web", "--from", "nowhere/web", "all.yaml"), 1, "--from nowhere asks as an ordinary pod"),
        (("web", "--from", "prod/plain", "--server", "127.0.0.1"), 1, "give them as PATH"),
        (("web", "--from", "prod/on-node", "all.yaml"), 1, "--node-resolv-conf FILE"),
        (("web", "--resolv-conf", "absent", "all.yaml"), 1, "absent: No such file"),
        (("web", "absent.yaml"), 1, "absent.yaml: no such file or folder"),
        (("web", "--zone", "a..b", "all.yaml"), 1, "a..b"),
        (("web", "--libc", "bionic", "all.yaml"), 2, "invalid choice"),
        (("web", "--server", "dns.test", "all.yaml"), 2, "is no IP address"),
        (("web", "--nameserver", "192.0.2.1", "all.yaml"), 2, "is not IP=ADDR"),
        (("web", "--server", "127.0.0.1", "--faults", "x"), 2, "--faults is for the server"),
        (("web", "--faults", "absent", "all.yaml"), 1, "absent: No such file"),
        ((), 2, "NAME"),
    ],
)
def test_what_cannot_be_done(call: Finish, words: tuple[str, ...], code: int, told: str) -> None:
    done = call("resolve", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
