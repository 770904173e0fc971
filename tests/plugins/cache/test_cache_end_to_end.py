"""cache: a server with upstreams, by sockets."""

from collections.abc import Sequence
from pathlib import Path

import dns.asyncquery
import dns.flags
import dns.message
import pytest

from dnsserver.config import parse
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record, address_rdata
from tests.plugins.cache.stage import SOA, records
from tests.runtime.helpers import PATIENCE_S, ask, data, eventually, extended_errors, get, rcode
from tests.support.process import ServerProcess, free_port
from tests.support.upstream import Script, reply_to, sent, serving, silent, upstream

WEB = "web.default.svc.cluster.local"


class Clock:
    """Unix seconds."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.5

    def __call__(self) -> float:
        return self.now


def server(text: str, clock: Clock, folder: Path | None = None) -> ClusterDnsServer:
    folder = folder or Path()
    corefile = parse(text, file="Corefile", directory=folder, directives=ORDER, environ={})
    return ClusterDnsServer(corefile, folder, now=clock)


def corefile(port: int, to: int, options: str = "", more: str = "") -> str:
    return f".:{port} {{\nbind 127.0.0.1\ncache {{\n{options}\n}}\nforward . 127.0.0.1:{to}\n{more}\n}}\n"


def counting(answer: str = "192.0.2.") -> tuple[Script, list[int]]:
    """Answers each query with another address."""
    number = [0]

    def script(octets: bytes, by: str) -> Sequence[bytes]:
        number[0] += 1
        question = Message.decode(octets).questions[0]
        record = Record(question.name, 1, 30, address_rdata(f"{answer}{number[0]}"))
        return sent(reply_to(octets, [record]), by)

    return script, number


def ttl(reply: dns.message.Message) -> int:
    return reply.answer[0].ttl


async def test_one_question_for_all_clients() -> None:
    script, number = counting()
    async with upstream(script) as served:
        port, clock = free_port(), Clock()
        async with server(corefile(port, served.port), clock):
            found = []
            for second in range(3):
                for tcp in (False, True):
                    for name in ("www.test", "WWW.tesT"):
                        for edns in (False, True):
                            reply = await ask(port, name, tcp=tcp, edns=edns)
                            found.append((data(reply), ttl(reply), bool(reply.flags & dns.flags.AA)))
                            assert reply.answer[0].name.to_text() == f"{name}."
                clock.now += 1
                assert {age for _, age, _ in found[-8:]} == {30 - second}
            assert {tuple(answer) for answer, _, _ in found} == {("A 192.0.2.1",)}
            assert [aa for _, _, aa in found] == [False] + [True] * 23
            assert number == [1]
            clock.now += 27
            assert data(await ask(port, "www.test")) == ["A 192.0.2.2"]


async def test_denials_and_failures() -> None:
    def script(octets: bytes, by: str) -> Sequence[bytes]:
        name = Message.decode(octets).questions[0].name
        if name.startswith(b"\4fail"):
            return sent(reply_to(octets, rcode=Rcode.SERVFAIL), by)
        return sent(reply_to(octets, authority=records(SOA), rcode=Rcode.NXDOMAIN), by)

    async with upstream(script) as served:
        port, clock = free_port(), Clock()
        async with server(corefile(port, served.port), clock):
            for _ in range(3):
                assert rcode(await ask(port, "none.test")) == "NXDOMAIN"
                assert rcode(await ask(port, "fail.test")) == "SERVFAIL"
            assert extended_errors(await ask(port, "fail.test", edns=True)) == [
                (0, f"SERVFAIL from 127.0.0.1:{served.port}"),
                (13, "a failure that plugin cache keeps"),
            ]
            assert len(served.asked) == 2
            clock.now += 5
            assert rcode(await ask(port, "fail.test")) == "SERVFAIL"
            assert rcode(await ask(port, "none.test")) == "NXDOMAIN"
            assert len(served.asked) == 3


async def test_upstreams_that_say_nothing_are_not_asked_again_at_once() -> None:
    """RFC 9520: for a client that tries again, as stub resolvers do, the failure is at hand."""
    async with upstream(silent) as served:
        port, clock = free_port(), Clock()
        async with server(corefile(port, served.port), clock):
            assert rcode(await ask(port, "www.test")) == "SERVFAIL"
            asked = len(served.asked)
            assert rcode(await ask(port, "www.test")) == "SERVFAIL"
            assert len(served.asked) == asked


async def test_stale_while_the_upstream_fails_and_fresh_when_it_is_back() -> None:
    script, _ = counting()
    async with upstream(script) as served:
        port, clock = free_port(), Clock()
        async with server(corefile(port, served.port, "serve_stale 1h immediate 7s"), clock):
            assert data(await ask(port, "www.test")) == ["A 192.0.2.1"]
            served.script = serving(rcode=Rcode.SERVFAIL)
            clock.now += 100
            for edns in (False, True):
                reply = await ask(port, "www.test", edns=edns)
                assert (data(reply), ttl(reply)) == (["A 192.0.2.1"], 7)
            assert extended_errors(reply) == [(3, "kept by plugin cache, and out of date")]
            served.script = script

            async def answer() -> tuple[list[str], int]:
                reply = await ask(port, "www.test")
                return data(reply), ttl(reply)

            await eventually(answer, (["A 192.0.2.2"], 30))


@pytest.mark.parametrize("size", [40, 400])
async def test_replies_that_do_not_fit_are_kept_whole(size: int) -> None:
    """Over UDP the upstream cuts; who comes by TCP gets all, and the cache has it then."""
    answer = [
        Record(names.from_text("www.test"), 1, 30, address_rdata(f"10.0.{n // 250}.{n % 250}"))
        for n in range(size)
    ]

    def script(octets: bytes, by: str) -> Sequence[bytes]:
        cut = by == "udp"
        return sent(reply_to(octets, () if cut else answer, flags=Flag.TC if cut else Flag.RA), by)

    async with upstream(script) as served:
        port = free_port()
        async with server(corefile(port, served.port), Clock()):
            query = dns.message.make_query("www.test", "A")
            for _ in range(2):
                cut = await dns.asyncquery.udp(query, "127.0.0.1", timeout=PATIENCE_S, port=port)
                assert cut.flags & dns.flags.TC
            assert served.protocols == ["udp", "udp"]
            for _ in range(2):
                assert len(data(await ask(port, "www.test", tcp=True))) == size
            cut = await dns.asyncquery.udp(query, "127.0.0.1", timeout=PATIENCE_S, port=port)
            assert cut.flags & dns.flags.TC
            assert 0 < len(data(cut)) < size
            assert served.protocols == ["udp", "udp", "tcp"]


def manifest(folder: Path, address: str) -> None:
    new = folder / "new"
    new.write_text(
        "kind: Service\napiVersion: v1\nmetadata: {name: web}\n"
        f"spec: {{clusterIP: {address}, ports: [{{port: 80}}]}}\n"
        "---\nkind: Service\napiVersion: v1\nmetadata: {name: out}\n"
        "spec: {type: ExternalName, externalName: www.test}\n"
    )
    new.rename(folder / "web.yaml")


async def test_changes_of_the_cluster_are_seen_at_once(tmp_path: Path) -> None:
    manifest(tmp_path, "10.8.0.1")
    script, number = counting()
    async with upstream(script) as served:
        port, clock = free_port(), Clock()
        more = "kubernetes cluster.local {\nmanifests web.yaml\nttl 3\n}"
        async with server(corefile(port, served.port, "", more), clock, tmp_path):
            for tcp in (False, True, False):
                reply = await ask(port, WEB, tcp=tcp)
                assert (data(reply), ttl(reply)) == (["A 10.8.0.1"], 5)
            manifest(tmp_path, "10.8.0.2")

            async def answer() -> list[str]:
                return data(await ask(port, WEB))

            await eventually(answer, ["A 10.8.0.2"])
            assert rcode(await ask(port, "none.default.svc.cluster.local")) == "NXDOMAIN"
            for _ in range(2):  # the alias is the cluster's, its target was kept
                reply = await ask(port, "out.default.svc.cluster.local")
                assert data(reply) == ["CNAME www.test.", "A 192.0.2.1"]
                assert {rrset.ttl for rrset in reply.answer} == {5}
            assert number == [1]


@pytest.mark.parametrize(
    ("spec", "now"),
    [
        ("{clusterIP: 10.8.0.9, ports: [{port: 80}]}", ["A 10.8.0.9"]),
        ("{type: ExternalName, externalName: web.default.svc.cluster.local}", ["CNAME web.", "A 10.8.0.1"]),
    ],
)
async def test_a_new_service_takes_over_from_the_upstream(tmp_path: Path, spec: str, now: list[str]) -> None:
    manifest(tmp_path, "10.8.0.1")
    script, number = counting()
    name = "new.default.svc.cluster.local"
    async with upstream(script) as served:
        port, clock = free_port(), Clock()
        more = "kubernetes cluster.local {\nmanifests .\nfallthrough\n}"
        async with server(corefile(port, served.port, "", more), clock, tmp_path):
            for _ in range(3):
                assert data(await ask(port, name)) == ["A 192.0.2.1"]
            assert number == [1]
            service = f"kind: Service\napiVersion: v1\nmetadata: {{name: new}}\nspec: {spec}\n"
            (tmp_path / "new.yaml").write_text(service)

            async def answer() -> list[str]:
                return [
                    line.replace("web.default.svc.cluster.local", "web")
                    for line in data(await ask(port, name))
                ]

            await eventually(answer, now)
            assert number == [1]


async def test_metrics_and_workers(tmp_path: Path) -> None:
    """Each process has a cache; the numbers are those of all."""
    script, number = counting()
    async with upstream(script) as served:
        port, http = free_port(), free_port()
        more = f"prometheus 127.0.0.1:{http}"
        (tmp_path / "Corefile").write_text(corefile(port, served.port, "servfail 1s", more))
        with ServerProcess("--workers", "2", cwd=tmp_path) as process:
            process.wait_for("dnsserver-")
            for _ in range(40):
                assert len(data(await ask(port, "www.test"))) == 1
            wanted = {"requests": 40.0, "misses": float(number[0])}
            await eventually(lambda: _counted(http, port), wanted)
            assert number[0] <= 2


async def _counted(http: int, port: int) -> dict[str, float]:
    _, body = await get(http, "/metrics")
    labels = f'{{server="dns://127.0.0.1:{port}",view="",zones="."}}'
    lines = [line.split() for line in body.splitlines() if labels in line]
    numbers = {name.removesuffix(labels): float(number) for name, number in lines}
    return {each: numbers.get(f"coredns_cache_{each}_total", 0.0) for each in ("requests", "misses")}
