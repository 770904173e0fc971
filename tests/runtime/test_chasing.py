"""ExternalName Services whose targets another part of the server knows (cluster-dns-behaviour.md, 4.4)."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import dns.flags
import pytest

from dnsserver.plugins.kubernetes.handler import TRAIL_MAX
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record, address_rdata
from tests.runtime.helpers import ask, data, rcode, server_of
from tests.support.process import free_port
from tests.support.upstream import Script, reply_to, sent, serving, upstream

DOCS = "docs.default.svc.cluster.local"


def aliases(folder: Path, **targets: str) -> str:
    """A manifest of ExternalName Services; the name of its file."""
    name = f"{'-'.join(targets)}.yaml"
    (folder / name).write_text(
        "---\n".join(
            f"kind: Service\napiVersion: v1\nmetadata: {{name: {alias}}}\n"
            f"spec: {{type: ExternalName, externalName: {target}}}\n"
            for alias, target in targets.items()
        )
    )
    return name


def corefile(port: int, manifest: str, forward: str = "") -> str:
    return "\n".join(
        (
            f".:{port} {{",
            "bind 127.0.0.1",
            "errors",
            "kubernetes cluster.local {",
            f"manifests {manifest}",
            "}",
            forward,
            "}",
        )
    )


def record(name: str, address: str, ttl: int = 300) -> Record:
    return Record(names.from_text(name), Type.AAAA if ":" in address else Type.A, ttl, address_rdata(address))


def by_type(octets: bytes, protocol: str) -> Sequence[bytes]:
    """An upstream that knows one name, with both families."""
    question = Message.decode(octets).questions[0]
    found = {Type.A: "192.0.2.1", Type.AAAA: "2001:db8::1"}.get(Type(question.rtype))
    answer = [record("www.example.org", found)] if found else []
    return sent(reply_to(octets, answer), protocol)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize(("rtype", "address"), [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")])
async def test_target_outside_is_asked_of_the_upstream(
    tmp_path: Path, rtype: str, address: str, tcp: bool
) -> None:
    port = free_port()
    manifest = aliases(tmp_path, docs="www.example.org")
    async with (
        upstream(by_type) as other,
        server_of(corefile(port, manifest, f"forward . 127.0.0.1:{other.port}"), tmp_path),
    ):
        reply = await ask(port, "Docs.default.svc.cluster.local", rtype, tcp=tcp)
        assert rcode(reply) == "NOERROR"
        assert data(reply) == ["CNAME www.example.org.", f"{rtype} {address}"]
        cname, found = reply.answer
        assert cname.name.to_text() == "Docs.default.svc.cluster.local."
        assert (cname.ttl, found.ttl) == (5, 300)
        assert reply.flags & dns.flags.AA
        (question,) = Message.decode(other.asked[0][1]).questions
        assert names.to_text(question.name) == "www.example.org."
        assert len(other.asked) == 1


async def test_cname_question_is_not_chased(tmp_path: Path) -> None:
    port = free_port()
    manifest = aliases(tmp_path, docs="www.example.org")
    async with (
        upstream(by_type) as other,
        server_of(corefile(port, manifest, f"forward . 127.0.0.1:{other.port}"), tmp_path),
    ):
        assert data(await ask(port, DOCS, "CNAME")) == ["CNAME www.example.org."]
        assert other.asked == []


@pytest.mark.parametrize(
    "script",
    [serving(rcode=3), serving(), serving(rcode=2), serving(rcode=5)],
    ids=["NXDOMAIN", "NODATA", "SERVFAIL", "REFUSED"],
)
async def test_alias_alone_when_the_upstream_has_nothing(tmp_path: Path, script: Script) -> None:
    port = free_port()
    manifest = aliases(tmp_path, docs="www.example.org")
    async with (
        upstream(script) as other,
        server_of(corefile(port, manifest, f"forward . 127.0.0.1:{other.port}"), tmp_path),
    ):
        reply = await ask(port, DOCS)
        assert rcode(reply) == "NOERROR"
        assert data(reply) == ["CNAME www.example.org."]
        assert reply.authority == []
        assert len(other.asked) == 1


async def test_alias_alone_without_an_upstream(tmp_path: Path) -> None:
    port = free_port()
    async with server_of(corefile(port, aliases(tmp_path, docs="www.example.org")), tmp_path):
        reply = await ask(port, DOCS)
        assert (rcode(reply), data(reply), reply.authority) == ("NOERROR", ["CNAME www.example.org."], [])


async def test_slow_upstream_does_not_hold_up_others(tmp_path: Path) -> None:
    """What needs no upstream is answered while another question waits for one."""
    port = free_port()
    manifest = aliases(tmp_path, docs="www.example.org")
    tries: list[str] = []

    def second_time(octets: bytes, protocol: str) -> Sequence[bytes]:
        tries.append(protocol)
        return by_type(octets, protocol) if len(tries) > 1 else ()

    async with (
        upstream(second_time) as other,
        server_of(corefile(port, manifest, f"forward . 127.0.0.1:{other.port}"), tmp_path),
    ):
        slow = asyncio.create_task(ask(port, DOCS))
        while not tries:  # noqa: ASYNC110 - it is the upstream's own list
            await asyncio.sleep(0.01)
        assert data(await ask(port, DOCS, "CNAME")) == ["CNAME www.example.org."]
        assert not slow.done()
        assert data(await slow) == ["CNAME www.example.org.", "A 192.0.2.1"]


async def test_truncated_upstream_answer_is_truncated_here_too(tmp_path: Path) -> None:
    port = free_port()
    manifest = aliases(tmp_path, docs="www.example.org")
    script = serving([record("www.example.org", "192.0.2.1")], flags=Flag.RA | Flag.TC)
    async with (
        upstream(script) as other,
        server_of(corefile(port, manifest, f"forward . 127.0.0.1:{other.port}"), tmp_path),
    ):
        assert (await ask(port, DOCS)).flags & dns.flags.TC


def two_zones(port: int, one: str, two: str) -> str:
    return "".join(
        f"{zone}:{port} {{\nbind 127.0.0.1\nerrors\nkubernetes {{\nmanifests {manifest}\n}}\n}}\n"
        for zone, manifest in (("one.test", one), ("two.test", two))
    )


async def test_target_in_another_zone_of_the_server(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "web.yaml").write_text(
        "kind: Service\napiVersion: v1\nmetadata: {name: web}\nspec: {clusterIP: 10.9.0.80, ports: [{port: 80}]}\n"
    )
    one = aliases(tmp_path, docs="web.default.svc.two.test")
    async with server_of(two_zones(port, one, "web.yaml"), tmp_path):
        assert data(await ask(port, "docs.default.svc.one.test")) == [
            "CNAME web.default.svc.two.test.",
            "A 10.9.0.80",
        ]
        assert data(await ask(port, "docs.default.svc.one.test", "AAAA")) == [
            "CNAME web.default.svc.two.test."
        ]


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_two_zones_that_point_at_each_other_for_ever(
    tmp_path: Path, tcp: bool, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    one = aliases(tmp_path, ping="pong.default.svc.two.test")
    two = aliases(tmp_path, pong="ping.default.svc.one.test")
    with caplog.at_level(logging.WARNING, "dnsserver"):
        async with server_of(two_zones(port, one, two), tmp_path):
            reply = await asyncio.wait_for(ask(port, "ping.default.svc.one.test", tcp=tcp), 2)
    assert rcode(reply) == "NOERROR"
    assert sorted(set(data(reply))) == [
        "CNAME ping.default.svc.one.test.",
        "CNAME pong.default.svc.two.test.",
    ]
    assert caplog.records == []


async def test_many_endless_chains_do_not_stop_the_server(tmp_path: Path) -> None:
    port = free_port()
    one = aliases(tmp_path, ping="pong.default.svc.two.test")
    two = aliases(tmp_path, pong="ping.default.svc.one.test")
    async with server_of(two_zones(port, one, two), tmp_path):
        asked = [ask(port, "ping.default.svc.one.test") for _ in range(50)]
        replies = await asyncio.wait_for(asyncio.gather(*asked), 5)
        assert {rcode(reply) for reply in replies} == {"NOERROR"}


async def test_longest_chain_between_zones_that_ends(tmp_path: Path) -> None:
    """Up to TRAIL_MAX changes of the zone are followed to the address; one more is not."""
    port = free_port()
    zones = ("one.test", "two.test")
    for number in range(len(zones)):
        (tmp_path / f"chain{number}.yaml").write_text(
            "---\n".join(
                f"kind: Service\napiVersion: v1\nmetadata: {{name: hop{hop}}}\nspec: "
                + (
                    "{clusterIP: 10.9.0.99, ports: [{port: 80}]}\n"
                    if hop == 0
                    else f"{{type: ExternalName, externalName: hop{hop - 1}.default.svc.{zones[1 - number]}}}\n"
                )
                for hop in range(TRAIL_MAX + 2)
            )
        )
    async with server_of(two_zones(port, "chain0.yaml", "chain1.yaml"), tmp_path):
        for hops in range(1, TRAIL_MAX + 1):
            found = data(await ask(port, f"hop{hops}.default.svc.one.test"))
            assert len(found) == hops + 1
            assert found[-1] == "A 10.9.0.99"
        beyond = data(await ask(port, f"hop{TRAIL_MAX + 1}.default.svc.one.test"))
        assert "A 10.9.0.99" not in beyond
        assert len(beyond) == TRAIL_MAX + 1


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize(
    ("bound", "host"),
    [
        ("bind 0.0.0.0", "127.0.0.1"),
        ("bind 0.0.0.0", "127.0.0.7"),
        ("bind ::", "::1"),
        ("bind 0.0.0.0 ::", "127.0.0.1"),
        ("bind 0.0.0.0 ::", "::1"),
        ("", "127.0.0.1"),
        ("", "::1"),
        ("bind ::1", "::1"),
    ],
)
async def test_chasing_whatever_the_block_is_bound_to(
    tmp_path: Path, bound: str, host: str, tcp: bool
) -> None:
    port = free_port()
    manifest = aliases(tmp_path, docs="www.example.org")
    async with upstream(by_type) as other:
        text = corefile(port, manifest, f"forward . 127.0.0.1:{other.port}").replace("bind 127.0.0.1", bound)
        async with server_of(text, tmp_path):
            assert data(await ask(port, DOCS, host=host, tcp=tcp)) == [
                "CNAME www.example.org.",
                "A 192.0.2.1",
            ]


async def test_chasing_stays_on_the_listener_that_was_asked(tmp_path: Path) -> None:
    """Two blocks for one zone, on different wildcards."""
    port = free_port()
    manifest = aliases(tmp_path, docs="web.default.svc.two.test")
    for name, address in (("four", "10.9.0.4"), ("six", "10.9.0.6")):
        (tmp_path / f"{name}.yaml").write_text(
            "kind: Service\napiVersion: v1\nmetadata: {name: web}\n"
            f"spec: {{clusterIP: {address}, ports: [{{port: 80}}]}}\n"
        )
    text = "".join(
        f"{zone}:{port} {{\nbind {wildcard}\nkubernetes {{\nmanifests {file}\n}}\n}}\n"
        for wildcard, web in (("0.0.0.0", "four.yaml"), ("::", "six.yaml"))
        for zone, file in (("one.test", manifest), ("two.test", web))
    )
    async with server_of(text, tmp_path):
        for host, address in (("127.0.0.1", "10.9.0.4"), ("::1", "10.9.0.6")):
            found = data(await ask(port, "docs.default.svc.one.test", host=host))
            assert found == ["CNAME web.default.svc.two.test.", f"A {address}"]
