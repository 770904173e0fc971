"""forward: what clients with EDNS are told of failures (RFC 8914)."""

import asyncio
from functools import partial

import pytest

from dnsserver.plugins.forward import handler
from dnsserver.plugins.forward.in_flight import InFlight
from dnsserver.wire.codes import ExtendedError, Rcode
from dnsserver.wire.edns import Edns, extended_error, told_cause
from tests.plugins.forward.hasty import ask, forwarding, upstreams
from tests.plugins.helpers import query
from tests.support.upstream import PATIENCE_S, reply_to, sent, silent, until


async def test_too_many_wait_for_equal_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "InFlight", partial(InFlight, 0))
    async with upstreams(silent) as (served,):
        forward = forwarding([served.port], attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        first = asyncio.ensure_future(ask(forward))
        await until(lambda: bool(served.asked))
        reply = await ask(forward)
        assert reply.options == (
            told_cause(ExtendedError.OTHER, "too many queries wait for replies to equal ones"),
        )
        first.cancel()
        await asyncio.wait((first,))


async def test_an_equal_query_takes_too_long() -> None:
    async with upstreams(silent) as (served,):
        forward = forwarding([served.port], attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        first = asyncio.ensure_future(ask(forward))
        await until(lambda: bool(served.asked))
        reply = await forward.answer(query(), asyncio.get_running_loop().time() + 0.05)
        assert reply is not None
        assert reply.options == (
            told_cause(ExtendedError.NO_REACHABLE_AUTHORITY, "no reply to an equal query in time"),
        )
        first.cancel()
        await asyncio.wait((first,))


async def test_what_upstreams_say_themselves_stays_alone() -> None:
    bogus = extended_error(6, "signature expired")

    def script(octets: bytes, by: str) -> list[bytes]:
        opt = Edns(1232, options=(bogus,)).encode()
        return sent(reply_to(octets, rcode=Rcode.SERVFAIL, opt=opt), by)

    async with upstreams(script) as (served,):
        assert (await ask(forwarding([served.port]))).options == (bogus,)
