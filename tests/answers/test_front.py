"""The front of the server over real sockets: odd octets, sizes, EDNS (section 15)."""

import asyncio

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from tests.answering.packets import (
    ACCEPTED,
    CD,
    QUESTION,
    RD,
    REJECTED,
    Packet,
    message,
    opcode,
    opt,
    pointer,
    record,
)
from tests.answers.case import Case, message_shown, normal
from tests.answers.scene import CREATED, Served, serving
from tests.answers.scenes import MAIN, MANY, UNSYNCED

#: Seconds in which a reply would have come.
SILENCE_S = 0.05
NGINX = normal("nginx.default.svc.cluster.local. 5 A 10.96.0.10")
LONG_SRV = "_http._tcp.sixty.default.svc.cluster.local."


def decoded(octets: bytes) -> dns.message.Message:
    return dns.message.from_wire(octets, one_rr_per_rrset=True)


async def still_answers(served: Served) -> None:
    reply = decoded(await served.over_udp(message()))
    assert message_shown(reply).answer == (NGINX,)


@pytest.mark.parametrize("packet", REJECTED, ids=str)
async def test_octets_that_are_no_query(packet: Packet) -> None:
    async with serving(MAIN) as served:
        if packet.reply is None:
            with pytest.raises(TimeoutError):
                await served.over_udp(packet.octets, SILENCE_S)
            with pytest.raises((TimeoutError, asyncio.IncompleteReadError)):
                await served.over_tcp(packet.octets, SILENCE_S)
        else:
            assert await served.over_udp(packet.octets) == packet.reply
            assert await served.over_tcp(packet.octets) == packet.reply
        await still_answers(served)
        assert served.dispatcher.panics == 0


@pytest.mark.parametrize("octets", [octets for _, octets in ACCEPTED], ids=[why for why, _ in ACCEPTED])
async def test_octets_that_are_an_odd_query(octets: bytes) -> None:
    async with serving(MAIN) as served:
        for reply in (await served.over_udp(octets), await served.over_tcp(octets)):
            shown = decoded(reply)
            assert message_shown(shown).answer == (NGINX,)
            assert shown.flags & ~dns.flags.AA == dns.flags.QR | shown.opcode() << 11
            assert shown.id == 0xBEEF


async def test_notify_is_answered_without_rd_and_cd() -> None:
    async with serving(MAIN) as served:
        reply = decoded(await served.over_udp(message(word=opcode(4) | RD | CD)))
    assert reply.opcode() == dns.opcode.NOTIFY
    assert not reply.flags & (dns.flags.RD | dns.flags.CD)
    assert message_shown(reply).answer == (NGINX,)


@pytest.mark.parametrize("size", [513, 1400, 4096, 9000])
async def test_long_queries_over_udp(size: int) -> None:
    """CoreDNS cuts them at 512 octets and answers FORMERR."""
    room = size - 12 - len(QUESTION) - 11 - 4
    padding = b"\0\x0c" + room.to_bytes(2, "big") + bytes(room)
    octets = message(QUESTION + opt(rdata=padding), 0, (1, 0, 0, 1))
    assert len(octets) == size
    async with serving(MAIN) as served:
        reply = decoded(await served.over_udp(octets))
    assert message_shown(reply).answer == (NGINX,)
    assert reply.options == ()


@pytest.mark.parametrize(
    "option",
    [
        dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"8 octets"),
        dns.edns.GenericOption(dns.edns.OptionType.NSID, b""),
        dns.edns.GenericOption(dns.edns.OptionType.make(9), b""),
        dns.edns.GenericOption(dns.edns.OptionType.make(11), b""),
        dns.edns.GenericOption(dns.edns.OptionType.make(12), bytes(20)),
        dns.edns.ECSOption("192.0.2.0", 24),
        dns.edns.GenericOption(dns.edns.OptionType.make(65001), b"local use"),
    ],
    ids=lambda option: f"option-{int(option.otype)}",
)
async def test_options_are_not_echoed(option: dns.edns.Option) -> None:
    names = ("nginx", "none", "db")
    async with serving(MAIN) as served:
        for name in names:
            asked = dns.message.make_query(
                f"{name}.default.svc.cluster.local.", "A", use_edns=0, options=[option]
            )
            reply = decoded(await served.over_udp(asked.to_wire()))
            assert (reply.edns, reply.options) == (0, ())


@pytest.mark.parametrize("version", [1, 7, 255])
async def test_bad_edns_version(version: int) -> None:
    octets = message(QUESTION + opt(1232, version << 16 | 0x8000), RD, (1, 0, 0, 1))
    async with serving(MAIN) as served:
        replies = [decoded(await served.over_udp(octets)), decoded(await served.over_tcp(octets))]
    for reply in replies:
        assert reply.rcode() == dns.rcode.BADVERS
        assert (reply.edns, reply.payload, reply.options) == (0, 0, ())
        assert (reply.answer, reply.authority, reply.additional) == ([], [], [])
        assert not reply.flags & dns.flags.AA


@pytest.mark.parametrize(
    "name", ["nginx.default.svc.cluster.local.", "none.default.svc.cluster.local.", "com."]
)
@pytest.mark.parametrize(("rtype", "rclass"), [("A", "IN"), ("MX", "IN"), ("A", "CH")])
async def test_every_reply_to_edns_has_opt(name: str, rtype: str, rclass: str) -> None:
    asked = dns.message.make_query(name, rtype, rclass, use_edns=0, payload=1400, want_dnssec=True)
    async with serving(MAIN) as served:
        reply = decoded(await served.over_udp(asked.to_wire()))
    assert (reply.edns, reply.payload, reply.ednsflags) == (0, 1400, 0x8000)


@pytest.mark.parametrize("payload", [None, 0, 511, 512, 513, 800, 1232, 1480])
@pytest.mark.parametrize("ask", ["sixty.default.svc.cluster.local. A", f"{LONG_SRV} SRV"])
async def test_a_reply_that_is_too_big_says_so(ask: str, payload: int | None) -> None:
    case = Case(ask=ask)
    asked = dns.message.make_query(case.name, case.rtype)
    if payload is not None:
        asked.use_edns(0, payload=payload)
    async with serving(MANY) as served:
        octets, whole = (
            await served.over_udp(asked.to_wire()),
            decoded(await served.over_tcp(asked.to_wire())),
        )
    limit = max(512, payload or 0)
    reply = decoded(octets)
    assert len(octets) <= limit
    assert len(whole.answer) == 60
    assert not whole.flags & dns.flags.TC
    if reply.flags & dns.flags.TC:
        assert 0 < len(reply.answer) < 60
        assert reply.additional == []
    else:
        assert len(reply.answer) == 60
    assert reply.answer == whole.answer[: len(reply.answer)]
    assert (reply.edns >= 0) == (payload is not None)


async def test_additional_records_go_without_tc() -> None:
    """All 60 SRV records fit, not all of the addresses."""
    asked = dns.message.make_query(LONG_SRV, "SRV", use_edns=0, payload=4500)
    async with serving(MANY) as served:
        octets = await served.over_udp(asked.to_wire())
    reply = decoded(octets)
    assert len(octets) <= 4500
    assert not reply.flags & dns.flags.TC
    assert len(reply.answer) == 60
    assert 0 < len(reply.additional) < 60


async def test_compressed_replies_keep_the_case_of_the_question() -> None:
    asked = dns.message.make_query("_HTTP._tcp.SixTY.default.svc.Cluster.LOCAL.", "SRV")
    async with serving(MANY) as served:
        reply = decoded(await served.over_tcp(asked.to_wire()))
    assert {rrset.name.to_text() for rrset in reply.answer} == {asked.question[0].name.to_text()}
    assert all(str(rrset[0].target).endswith(".sixty.default.svc.Cluster.LOCAL.") for rrset in reply.answer)
    assert all(str(rrset.name).endswith(".sixty.default.svc.Cluster.LOCAL.") for rrset in reply.additional)


async def test_unsynced_names_have_an_extended_error_only_for_edns() -> None:
    name = "none.default.svc.cluster.local."
    async with serving(UNSYNCED) as served:
        plain = decoded(await served.over_udp(dns.message.make_query(name, "A").to_wire()))
        edns = decoded(await served.over_udp(dns.message.make_query(name, "A", use_edns=0).to_wire()))
    assert (plain.edns, plain.rcode()) == (-1, dns.rcode.SERVFAIL)
    assert edns.rcode() == dns.rcode.SERVFAIL
    (option,) = edns.options
    assert isinstance(option, dns.edns.EDEOption)
    assert option.code == dns.edns.EDECode.NOT_READY
    assert option.text == "no list yet of endpointslices, services"
    assert plain.authority[0][0].serial == CREATED


async def test_many_datagrams_at_once_are_answered_each_on_its_own() -> None:
    async with serving(MAIN) as served:
        replies = await asyncio.gather(*(served.over_udp(message(ident=ident)) for ident in range(200)))
    assert [int.from_bytes(reply[:2], "big") for reply in replies] == list(range(200))


async def test_compressed_question_names() -> None:
    """A pointer in a record of the query may lead to the question."""
    octets = message(QUESTION + record(6, pointer(12) * 2 + bytes(20)), 0, (1, 0, 1, 0))
    async with serving(MAIN) as served:
        assert message_shown(decoded(await served.over_udp(octets))).answer == (NGINX,)
