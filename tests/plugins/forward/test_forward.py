"""forward: queries and replies of upstreams that do as they should."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dnsserver.answering.query import Query, follow, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.wire import names
from dnsserver.wire.codes import Class, ExtendedError, Flag, Rcode, Type, rcode_name
from dnsserver.wire.edns import Edns, told_cause
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record, name_rdata, txt_rdata
from tests.plugins.forward.hasty import ANSWER, ask, forwarding, upstreams
from tests.plugins.helpers import address, query
from tests.support.upstream import reply_to, sent, serving


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_reply_comes_back_as_it_is(protocol: str) -> None:
    alias = Record(names.from_text("example.org."), Type.CNAME, 7, name_rdata(names.from_text("b.test.")))
    soa = Record(names.from_text("org."), 6, 9, txt_rdata(b"x"))
    soa = replace(soa, rtype=99)
    extra = Record(names.from_text("c.test."), Type.TXT, 3, txt_rdata(b"hello"))

    def script(octets: bytes, by: str) -> Sequence[bytes]:
        opt = Edns(4096, options=((15, b"\0\x16no reach"), (3, b"nsid"))).encode()
        message = reply_to(
            octets,
            (alias, address("192.0.2.1", "b.test.")),
            authority=(soa,),
            additional=(extra,),
            flags=Flag.AA | Flag.RA | Flag.AD,
        )
        message = message[:11] + bytes((message[11] + 1,)) + message[12:] + opt
        return sent(message, by)

    async with upstreams(script) as (served,):
        reply = await ask(forwarding([served.port]), query(protocol=protocol, edns=Edns(1232)))
        assert served.protocols == [protocol]
    assert reply == Reply(
        answer=(alias, address("192.0.2.1", "b.test.")),
        authority=(soa,),
        additional=(extra,),
        authoritative=True,
        recursion_available=True,
        authentic=True,
        options=((15, b"\0\x16no reach"),),
        plugin="forward",
    )


@pytest.mark.parametrize(
    ("rcode", "opt", "expected"),
    [
        (Rcode.NXDOMAIN, b"", Rcode.NXDOMAIN),
        (Rcode.SERVFAIL, b"", Rcode.SERVFAIL),
        (Rcode.REFUSED, b"", Rcode.REFUSED),
        (7, Edns(1232, extended_rcode=1).encode(), 23),
    ],
)
async def test_rcodes_of_upstreams_are_no_errors(rcode: int, opt: bytes, expected: int) -> None:
    def script(octets: bytes, by: str) -> Sequence[bytes]:
        message = reply_to(octets, rcode=rcode, flags=0)
        return sent(message[:11] + bytes((1 if opt else 0,)) + message[12:] + opt, by)

    async with upstreams(script, serving(ANSWER)) as (first, second):
        told = told_cause(ExtendedError.OTHER, f"{rcode_name(rcode)} from 127.0.0.1:{first.port}")
        options = (told,) if rcode in (Rcode.SERVFAIL, Rcode.REFUSED) else ()
        reply = await ask(forwarding([first.port, second.port]))
        assert reply == Reply(rcode=expected, plugin="forward", options=options)
        assert second.asked == []


@pytest.mark.parametrize(
    "asked",
    [
        query("Ex-AM-ple.ORG.", "AAAA"),
        query(edns=Edns(4096, do=True, options=((10, b"cookie!!"), (8, b"\0\1\x18\0\x0a\0\0")))),
        query(flags=Flag.RD | Flag.CD | Flag.AD),
        query(rclass=Class.CH, rtype="TXT"),
        query(rtype="TYPE65280"),
        follow(
            query("service.ns.svc.cluster.local.", edns=Edns(1232, do=True)), names.from_text("Target.test.")
        ),
    ],
)
async def test_query_goes_on_as_it_came_with_another_id(asked: Query) -> None:
    async with upstreams(serving()) as (served,):
        assert (await ask(forwarding([served.port]), asked)).rcode == Rcode.NOERROR
        assert [octets[2:] for _, octets in served.asked] == [asked.octets[2:]]


SIG = Record(names.from_text("key.test."), 250, 0, txt_rdata(b"signature"), Class.ANY)


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("additional", [(), (SIG,)], ids=["OPT", "OPT and TSIG"])
async def test_octets_behind_the_message_are_left_out(protocol: str, additional: tuple[Record, ...]) -> None:
    asked = query(edns=Edns(1232, options=((10, b"cookie!!"),)))
    whole = asked.octets[:11] + bytes((1 + len(additional),)) + asked.octets[12:]
    for record in additional:
        rdata = record.rdata.head + record.rdata.tail
        whole += record.owner + record.rtype.to_bytes(2, "big") + record.rclass.to_bytes(2, "big")
        whole += bytes(4) + len(rdata).to_bytes(2, "big") + rdata
    found = read_query(whole + b"\xff" * 3_000, replace(asked.arrival, protocol=protocol))
    assert isinstance(found, Query)
    async with upstreams(serving()) as (served,):
        assert (await ask(forwarding([served.port]), found)).rcode == Rcode.NOERROR
        assert [octets[2:] for _, octets in served.asked] == [whole[2:]]


async def test_ids_and_ports_change() -> None:
    async with upstreams(serving()) as (served,):
        forward = forwarding([served.port])
        for _ in range(40):
            await ask(forward)
        idents = {octets[:2] for _, octets in served.asked}
        assert len(idents) > 35
        assert query().octets[:2] not in idents or len(idents) > 1
        assert len(set(served.ports)) > 30


# Which protocol.


@pytest.mark.parametrize(
    ("options", "protocol", "truncated", "protocols"),
    [
        ("", "udp", False, ["udp"]),
        ("", "tcp", False, ["tcp"]),
        ("", "udp", True, ["udp"]),
        ("force_tcp", "udp", False, ["tcp"]),
        ("force_tcp\nprefer_udp", "udp", True, ["tcp"]),
        ("force_tcp\nprefer_udp", "tcp", False, ["tcp"]),
        ("prefer_udp", "tcp", False, ["udp"]),
        ("prefer_udp", "tcp", True, ["udp", "tcp"]),
        ("prefer_udp", "udp", True, ["udp", "tcp"]),
    ],
)
async def test_protocol(options: str, protocol: str, truncated: bool, protocols: list[str]) -> None:
    def script(octets: bytes, by: str) -> Sequence[bytes]:
        cut = truncated and by == "udp"
        return sent(reply_to(octets, () if cut else ANSWER, flags=Flag.TC if cut else Flag.RA), by)

    async with upstreams(script) as (served,):
        reply = await ask(forwarding([served.port], options), query(protocol=protocol))
        assert served.protocols == protocols
        whole = protocols[-1] == "tcp" or not truncated
        assert (reply.answer, reply.truncated) == ((ANSWER, False) if whole else ((), True))


async def test_reply_cut_inside_a_record() -> None:
    def script(octets: bytes, _: str) -> Sequence[bytes]:
        return [reply_to(octets, ANSWER * 40, flags=Flag.TC)[:500]]

    async with upstreams(script) as (served,):
        assert await ask(forwarding([served.port])) == Reply(truncated=True, plugin="forward")


async def test_reply_larger_than_the_client_takes() -> None:
    """An upstream that does not know of the 512 octets: nothing is lost here, and the client gets what it can take."""
    records = tuple(address(f"192.0.2.{n}") for n in range(60))
    async with upstreams(serving(records)) as (served,):
        asked = query()
        reply = await ask(forwarding([served.port]), asked)
    assert reply.answer == records
    message = Message.decode(encode(reply, asked))
    assert message.header.flags & Flag.TC
    assert 0 < len(message.answer) < 60
