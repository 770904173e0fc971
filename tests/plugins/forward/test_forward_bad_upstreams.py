"""forward: upstreams that do not do as they should."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.options import settings_of
from dnsserver.wire import names
from dnsserver.wire.codes import Class, ExtendedError, Flag, Rcode, Type, rcode_name
from dnsserver.wire.edns import told_cause
from dnsserver.wire.frames import frame
from dnsserver.wire.header import Header
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from tests.plugins.forward.hasty import ANSWER, ask, forwarding, upstreams
from tests.plugins.helpers import directive, query
from tests.support.upstream import (
    PATIENCE_S,
    Script,
    closed_port,
    closing,
    reply_to,
    sending,
    sent,
    serving,
    silent,
    until,
)

OTHER = Question(names.from_text("other.test."), Type.A)


def spoiled(spoil: Callable[[bytes], Sequence[bytes]]) -> Script:
    """A script that sends what *spoil* makes of a query, by both protocols."""

    def script(octets: bytes, by: str) -> Sequence[bytes]:
        return list(spoil(octets)) if by == "udp" else list(map(frame, spoil(octets)))

    return script


def wrong_ident(octets: bytes) -> Sequence[bytes]:
    return [reply_to(octets, ANSWER, ident=int.from_bytes(octets[:2], "big") ^ 1)]


def wrong_question(octets: bytes) -> Sequence[bytes]:
    asked = Message.decode(octets).questions[0]
    return [
        reply_to(octets, ANSWER, question=OTHER),
        reply_to(octets, ANSWER, question=replace(asked, rtype=Type.AAAA)),
        reply_to(octets, ANSWER, question=replace(asked, rclass=Class.CH)),
    ]


def query_back(octets: bytes) -> Sequence[bytes]:
    return [octets]


def other_opcode(octets: bytes) -> Sequence[bytes]:
    message = reply_to(octets, ANSWER)
    return [message[:2] + bytes((message[2] | 0x20,)) + message[3:]]


def no_question(octets: bytes) -> Sequence[bytes]:
    return [Header(int.from_bytes(octets[:2], "big"), flags=Flag.QR).encode()]


def noise(octets: bytes) -> Sequence[bytes]:
    return [b"", b"\0", octets[:11], b"\xff" * 600, random.Random(3).randbytes(1200)]


IGNORED = [wrong_ident, wrong_question, query_back, other_opcode, no_question, noise]


@pytest.mark.parametrize("spoil", IGNORED)
async def test_wrong_replies_are_ignored(spoil: Callable[[bytes], Sequence[bytes]]) -> None:
    def script(octets: bytes) -> Sequence[bytes]:
        return [*spoil(octets), reply_to(octets, ANSWER)]

    async with upstreams(spoiled(script)) as (served,):
        for protocol in ("udp", "tcp"):
            asked = query(protocol=protocol)
            assert (
                await ask(forwarding([served.port], attempt_s=PATIENCE_S, total_s=PATIENCE_S), asked)
            ).answer == ANSWER


@pytest.mark.parametrize("spoil", IGNORED)
async def test_wrong_replies_alone_end_in_the_next_upstream(
    spoil: Callable[[bytes], Sequence[bytes]],
) -> None:
    async with upstreams(spoiled(spoil), serving(ANSWER)) as (bad, good):
        reply = await ask(forwarding([bad.port, good.port], attempt_s=0.05))
        assert (reply.answer, len(bad.asked)) == (ANSWER, 1)


@pytest.mark.parametrize("rcode", [Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED])
async def test_bare_error_is_a_reply(rcode: int) -> None:
    def script(octets: bytes) -> Sequence[bytes]:
        return [Header(int.from_bytes(octets[:2], "big"), 0, rcode, Flag.QR).encode()]

    async with upstreams(spoiled(script)) as (served,):
        told = told_cause(ExtendedError.OTHER, f"{rcode_name(rcode)} from 127.0.0.1:{served.port}")
        assert await ask(forwarding([served.port])) == Reply(rcode=rcode, plugin="forward", options=(told,))


def record_cut(octets: bytes) -> bytes:
    return reply_to(octets, ANSWER)[:-2]


def count_too_high(octets: bytes) -> bytes:
    message = reply_to(octets, ANSWER)
    return message[:7] + b"\x05" + message[8:]


def question_cut(octets: bytes) -> bytes:
    return reply_to(octets)[:20]


def pointer_loop(octets: bytes) -> bytes:
    message = reply_to(octets)
    return message[:7] + b"\x01" + message[8:] + b"\xc0" + bytes((len(message),)) + bytes(14)


MALFORMED = [record_cut, count_too_high, question_cut, pointer_loop]


@pytest.mark.parametrize("malformed", MALFORMED)
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_malformed_reply_ends_in_the_next_upstream(
    malformed: Callable[[bytes], bytes], protocol: str
) -> None:
    def script(octets: bytes) -> Sequence[bytes]:
        return [malformed(octets)]

    asked = query(protocol=protocol)
    async with upstreams(spoiled(script), serving(ANSWER)) as (bad, good):
        assert (await ask(forwarding([bad.port, good.port]), asked)).answer == ANSWER
        reply = await ask(forwarding([bad.port]), asked)
        assert (reply.rcode, reply.plugin) == (Rcode.SERVFAIL, "forward")
        assert reply.error.startswith(f"bad reply from 127.0.0.1:{bad.port}: ")


@pytest.mark.parametrize(
    ("script", "protocol", "error"),
    [
        (silent, "udp", "i/o timeout"),
        (silent, "tcp", "i/o timeout"),
        (closing, "tcp", "EOF"),
        (lambda octets, _: [b"\xff\xff" + reply_to(octets, ANSWER)], "tcp", "unexpected EOF"),
        (sending(b"\0\0"), "tcp", "EOF"),
    ],
)
async def test_no_reply(script: Script, protocol: str, error: str) -> None:
    asked = query(protocol=protocol)
    async with upstreams(script, serving(ANSWER)) as (bad, good):
        forward = forwarding([bad.port, good.port])
        assert (await ask(forward, asked)).answer == ANSWER
        reply = await ask(forwarding([bad.port], attempt_s=0.05), asked)
        assert (reply.rcode, reply.recursion_available) == (Rcode.SERVFAIL, False)
        assert reply.error.endswith(error)
        assert len(bad.asked) == 3  # once with a good one behind, twice alone


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_nobody_listens(protocol: str) -> None:
    asked = query(protocol=protocol)
    start = time.monotonic()
    async with upstreams(serving(ANSWER)) as (good,):
        forward = forwarding([closed_port(), good.port], attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        assert (await ask(forward, asked)).answer == ANSWER
        reply = await ask(forwarding([closed_port()], attempt_s=PATIENCE_S, total_s=PATIENCE_S), asked)
        assert reply.rcode == Rcode.SERVFAIL
        assert reply.error.endswith("connection refused")
    assert time.monotonic() - start < PATIENCE_S / 2


async def test_each_upstream_is_asked_twice() -> None:
    async with upstreams(closing, closing) as (one, two):
        reply = await ask(forwarding([one.port, two.port]), query(protocol="tcp"))
        assert (reply.rcode, reply.error) == (Rcode.SERVFAIL, "EOF")
        assert (len(one.asked), len(two.asked)) == (2, 2)


@pytest.mark.parametrize("options", ["", "prefer_udp"])
async def test_a_question_never_takes_longer_than_allowed(options: str) -> None:
    """The last attempt is cut, the second one by TCP too."""

    def script(octets: bytes, by: str) -> Sequence[bytes]:
        return sent(reply_to(octets, flags=Flag.TC), by) if options and by == "udp" else ()

    async with upstreams(script, script, script) as served:
        start = time.monotonic()
        ports = [one.port for one in served]
        reply = await ask(forwarding(ports, options, total_s=0.5, attempt_s=0.4))
        took = time.monotonic() - start
    assert reply.rcode == Rcode.SERVFAIL
    assert 0.45 <= took < 0.75


def test_times_are_those_of_the_manual() -> None:
    settings = settings_of(directive("forward . 192.0.2.1").occurrences[0], Path("/"))
    assert (settings.total_s, settings.read_s, settings.probe_s) == (4.5, 2.0, 1.0)


async def test_cancelled_with_its_client() -> None:
    async with upstreams(silent) as (served,):
        forward = forwarding([served.port], attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        asking = asyncio.ensure_future(ask(forward))
        await until(lambda: bool(served.asked))
        asking.cancel()
        await asyncio.wait((asking,))
        assert asking.cancelled()
        assert repr(forward).startswith("<Forward in_flight=0 ")
