"""The kubelet's rules for /etc/resolv.conf and /etc/hosts of pods."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dnsserver.stubs.pods import Cluster, PodDnsError, pod_files

OWN = "prod.svc.cluster.local svc.cluster.local cluster.local"
NODE = "nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch corp.test. lab.test\noptions rotate timeout:3\n"
HERE = Cluster()
WITH_NODE = replace(HERE, node=NODE)


@dataclass(frozen=True, slots=True)
class Case:
    title: str
    spec: dict[str, Any]
    resolv_conf: tuple[str, ...]
    cluster: Cluster = field(default=HERE)

    def __str__(self) -> str:
        return self.title


def config(**parts: Any) -> dict[str, Any]:
    return {"dnsConfig": parts}


CASES = (
    Case("ordinary", {}, (f"search {OWN}", "nameserver 10.96.0.10", "options ndots:5")),
    Case(
        "the node's search list follows",
        {},
        (f"search {OWN} corp.test lab.test", "nameserver 10.96.0.10", "options ndots:5"),
        WITH_NODE,
    ),
    Case(
        "another zone, two addresses",
        {},
        (
            "search prod.svc.k8s.test svc.k8s.test k8s.test",
            "nameserver 10.0.0.10",
            "nameserver fd00::10",
            "options ndots:5",
        ),
        Cluster("k8s.test.", ("10.0.0.10", "fd00::10")),
    ),
    Case(
        "host network falls back to the node",
        {"hostNetwork": True},
        (
            "search corp.test lab.test",
            "nameserver 192.0.2.53",
            "nameserver 192.0.2.54",
            "options rotate timeout:3",
        ),
        WITH_NODE,
    ),
    Case(
        "host network with the cluster's DNS",
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
        (f"search {OWN}", "nameserver 10.96.0.10", "options ndots:5"),
    ),
    Case(
        "ndots is replaced, others are added",
        config(options=[{"name": "ndots", "value": "2"}, {"name": "edns0"}]),
        (f"search {OWN}", "nameserver 10.96.0.10", "options ndots:2 edns0"),
    ),
    Case(
        "search and servers are added, each once",
        config(searches=["svc.cluster.local", "more.test"], nameservers=["192.0.2.1", "10.96.0.10"]),
        (f"search {OWN} more.test", "nameserver 10.96.0.10", "nameserver 192.0.2.1", "options ndots:5"),
    ),
    Case(
        "none but one's own",
        {"dnsPolicy": "None", **config(nameservers=["192.0.2.1"], searches=["my.test"])},
        ("search my.test", "nameserver 192.0.2.1"),
        WITH_NODE,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_resolv_conf(case: Case) -> None:
    pod = {"metadata": {"namespace": "prod", "name": "web"}, "spec": case.spec}
    assert tuple(pod_files(pod, case.cluster).resolv_conf.splitlines()) == case.resolv_conf


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"dnsPolicy": "Default"}, "resolv.conf of its node"),
        ({"hostNetwork": True}, "resolv.conf of its node"),
        ({"dnsPolicy": "None"}, "name one"),
        ({"dnsPolicy": "ClusterLast"}, "use ClusterFirst"),
    ],
)
def test_what_cannot_be_told(spec: dict[str, Any], told: str) -> None:
    with pytest.raises(PodDnsError, match=told):
        pod_files({"metadata": {"namespace": "prod"}, "spec": spec}, HERE)


def files_with(searches: list[str], servers: tuple[str, ...] = ()) -> tuple[list[str], tuple[str, ...]]:
    """The search list, and what was left out."""
    spec = {"dnsPolicy": "None", **config(searches=searches, nameservers=["192.0.2.1", *servers])}
    files = pod_files({"metadata": {"namespace": "prod"}, "spec": spec}, HERE)
    return files.resolv_conf.splitlines()[0].split()[1:], files.notes


def test_at_most_32_search_domains() -> None:
    domains = [f"d{number}.test" for number in range(34)]
    kept, notes = files_with(domains)
    assert kept == domains[:32]
    assert notes == ("search domain d32.test is left out", "search domain d33.test is left out")


def test_at_most_2048_characters() -> None:
    domains = [f"{'a' * 60}.{'b' * 60}.d{number:02}.test" for number in range(20)]
    kept, notes = files_with(domains)
    assert len(kept) == 15
    assert len(" ".join(kept)) <= 2048 < len(" ".join(domains[:16]))
    assert len(notes) == 5


def test_a_domain_of_more_than_253_characters_is_left_out() -> None:
    kept, notes = files_with([f"{'a.' * 125}test", "b.test"])
    assert kept == ["b.test"]
    assert len(notes) == 1


def test_at_most_three_servers() -> None:
    _, notes = files_with(["a.test"], ("192.0.2.2", "192.0.2.3", "192.0.2.4"))
    assert notes == ("nameserver 192.0.2.4 is left out: 3 is the most",)


def test_hosts() -> None:
    pod = {
        "metadata": {"namespace": "prod", "name": "web-0"},
        "spec": {
            "subdomain": "web",
            "hostAliases": [{"ip": "192.0.2.7", "hostnames": ["db", "db.test"]}],
        },
        "status": {"podIPs": [{"ip": "10.4.0.9"}, {"ip": "fd00::9"}]},
    }
    assert pod_files(pod, HERE).hosts.splitlines()[7:] == [
        "10.4.0.9\tweb-0.web.prod.svc.cluster.local\tweb-0",
        "fd00::9\tweb-0.web.prod.svc.cluster.local\tweb-0",
        "192.0.2.7\tdb\tdb.test",
    ]
