"""Search lists walked by the server (cluster-dns-behaviour.md, section 14.2)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.message
import pytest

from dnsserver.observability.families import Family
from dnsserver.plugins import autopath
from dnsserver.zone.objects import ClusterObject
from tests.answers.case import message_shown
from tests.answers.objects import headless, namespaces, pod, service
from tests.fast.court import CREATED, Court, block, court

OBJECTS: tuple[ClusterObject, ...] = (
    *namespaces("shop other"),
    service("shop/web", "10.96.0.10", "http:80"),
    service("other/api", "10.96.0.11", "http:80"),
    headless("shop/empty"),
    pod("shop/client", "127.0.0.1"),
    pod("zoo/neighbour", "127.0.0.1"),
)
KUBERNETES = ("kubernetes cluster.local {", "pods verified", "}")
Z = "svc.cluster.local."


@pytest.fixture(autouse=True)
def own_search_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.conf").write_text("nameserver 192.0.2.1\nsearch Host.Example.NET\n")
    monkeypatch.setattr(autopath, "RESOLV_CONF", tmp_path / "own.conf")


@asynccontextmanager
async def served(*lines: str, objects: tuple[ClusterObject, ...] = OBJECTS) -> AsyncIterator[Court]:
    async with court(block(".", *lines), objects) as judge:
        yield judge


async def ask(judge: Court, name: str, rtype: str = "A") -> tuple[str, ...]:
    """RCODE and answer, the same over UDP and TCP, and twice: the second time it may be at hand."""
    (host, port), *_ = judge.server.endpoints
    found = set()
    for how in (dns.asyncquery.udp, dns.asyncquery.tcp, dns.asyncquery.udp):
        asked = dns.message.make_query(name, rtype)
        reply = message_shown(await how(asked, host, 10, port, one_rr_per_rrset=True))
        found.add((reply.rcode, *reply.answer))
    (same,) = found
    return same


def completed(judge: Court) -> float:
    families = [
        family
        for plugin in judge.server.plugins()
        if plugin.name == "autopath" and plugin.metrics is not None
        for family in plugin.metrics()
    ]
    (family,) = families
    assert isinstance(family, Family)
    assert family.name == "coredns_autopath_success_total"
    (host, port), *_ = judge.server.endpoints
    assert {labels for labels, _ in family.samples} <= {(f"dns://{host}:{port}",)}
    return sum(number for _, number in family.samples)


async def test_elements_of_the_pods_search_list() -> None:
    async with served("autopath @kubernetes", *KUBERNETES, "offline") as judge:
        # The first element: nothing to complete.
        assert await ask(judge, f"web.shop.{Z}") == ("NOERROR", f"web.shop.{Z} 5 IN A 10.96.0.10")
        assert completed(judge) == 0
        # The second and the third.
        for left in ("api.other", "api.other.svc"):
            name = f"{left}.shop.{Z}"
            assert await ask(judge, name) == (
                "NOERROR",
                f"{name} 5 IN CNAME api.other.{Z}",
                f"api.other.{Z} 5 IN A 10.96.0.11",
            )
        assert completed(judge) == 6
        # No data is an end.
        assert await ask(judge, f"api.other.shop.{Z}", "AAAA") == ("NOERROR",)
        # None: the first reply.
        assert await ask(judge, f"nothing.shop.{Z}") == ("NXDOMAIN",)
        # The name itself, in full.
        name = f"dns-version.cluster.local.shop.{Z}"
        assert await ask(judge, name, "TXT") == (
            "NOERROR",
            f"{name} 28800 IN CNAME dns-version.cluster.local.",
            'dns-version.cluster.local. 28800 IN TXT "1.1.0"',
        )
        # Another namespace than the pod's, the first element itself, and a name outside.
        assert await ask(judge, f"api.other.other.{Z}") == ("NXDOMAIN",)
        assert await ask(judge, f"shop.{Z}") == ("NOERROR",)
        assert await ask(judge, "www.example.com.") == ("NXDOMAIN",)


async def test_the_hosts_own_list_comes_last() -> None:
    external = "k8s_external host.example.net"
    async with served("autopath @kubernetes", *KUBERNETES, external) as judge:
        name = f"ns1.dns.shop.{Z}"
        assert await ask(judge, name) == (
            "NOERROR",
            f"{name} 5 IN CNAME ns1.dns.host.example.net.",
            "ns1.dns.host.example.net. 5 IN A 127.0.0.1",
        )


@pytest.mark.parametrize(
    "lines",
    [
        ("autopath @kubernetes", "kubernetes cluster.local", "offline"),
        ("autopath @kubernetes", "offline"),
        ("autopath example.org @kubernetes", *KUBERNETES, "offline"),
    ],
)
async def test_inactive(lines: tuple[str, ...]) -> None:
    async with served(*lines) as judge:
        assert await ask(judge, f"api.other.shop.{Z}") == ("NXDOMAIN",)
        assert completed(judge) == 0


async def test_a_client_that_is_no_pod() -> None:
    objects = tuple(item for item in OBJECTS if item not in OBJECTS[-2:])
    async with served("autopath @kubernetes", *KUBERNETES, "offline", objects=objects) as judge:
        assert await ask(judge, f"api.other.shop.{Z}") == ("NXDOMAIN",)
        judge.clusters.put(pod("shop/late", "127.0.0.1"), CREATED)
        assert (await ask(judge, f"api.other.shop.{Z}"))[0] == "NOERROR"


async def test_the_list_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "r.conf").write_text(
        "domain a.example\nsearch Shop.svc.cluster.local svc.cluster.local # here\n"
    )
    (tmp_path / "d.conf").write_text("search a.example\ndomain shop.svc.cluster.local\n; domain b.example\n")
    for file, found in (("r.conf", "NOERROR"), ("d.conf", "NXDOMAIN")):
        async with served(f"autopath {tmp_path / file}", "kubernetes cluster.local", "offline") as judge:
            assert (await ask(judge, f"api.other.shop.{Z}"))[0] == found
            # The name without any element.
            assert (await ask(judge, f"api.other.{Z[:-1]}.shop.{Z}"))[0] == "NOERROR"


async def test_an_error_ends_the_walk() -> None:
    async with served("autopath @kubernetes", *KUBERNETES) as judge:
        assert await ask(judge, f"www.example.com.shop.{Z}") == ("SERVFAIL",)
        assert completed(judge) == 0


async def test_a_reply_that_is_no_answer_is_passed_over(tmp_path: Path) -> None:
    """SERVFAIL of nobody, behind which the name itself is found."""
    (tmp_path / "r.conf").write_text("search first.example second.example\n")
    lines = (
        f"autopath {tmp_path / 'r.conf'}",
        "kubernetes cluster.local second.example {",
        "fallthrough",
        "}",
    )
    async with served(*lines, "offline") as judge:
        assert (await ask(judge, f"web.shop.{Z}first.example"))[0] == "NOERROR"


async def test_answers_that_are_there_stay_at_hand_and_others_see_the_chain() -> None:
    """What is at hand is right for every client, also when the cluster changes."""
    async with served("autopath @kubernetes", *KUBERNETES, "offline") as judge:
        there = dns.message.make_query(f"web.shop.{Z}", "A").to_wire()
        missing = dns.message.make_query(f"api.other.shop.{Z}", "A").to_wire()
        assert await judge.twice(there) is not None
        assert await judge.twice(missing) is None
        assert await judge.twice(dns.message.make_query(f"nope.{Z}", "A").to_wire()) is not None
        judge.clusters.drop(OBJECTS[2], CREATED + 1)
        assert await judge.twice(there) is None
        judge.clusters.put(service("shop/web", "10.96.0.99", "http:80"), CREATED + 2)
        found = await judge.twice(there)
        assert found is not None
        assert found.endswith(bytes((10, 96, 0, 99)))
