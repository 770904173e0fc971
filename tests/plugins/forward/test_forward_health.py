"""forward: load, and upstreams that are down."""

import asyncio
import errno
import os
import socket
from collections.abc import Sequence

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.probes import Probes
from dnsserver.transports.exchange import ExchangePlaces
from dnsserver.wire import names
from dnsserver.wire.codes import ExtendedError, Flag, Rcode, Type
from dnsserver.wire.edns import told_cause
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from tests.plugins.forward.hasty import ANSWER, ask, forwarding, upstreams
from tests.plugins.helpers import query
from tests.support.upstream import (
    PATIENCE_S,
    reply_to,
    sent,
    serving,
    silent,
    until,
)


async def test_max_concurrent() -> None:
    async with upstreams(silent) as (served,):
        forward = forwarding([served.port], "max_concurrent 2", attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        waiting = [asyncio.ensure_future(ask(forward, query(name))) for name in ("a.test.", "b.test.")]
        await until(lambda: len(served.asked) == 2)
        error = "concurrent queries exceeded maximum 2"
        told = told_cause(ExtendedError.OTHER, error)
        expected = Reply(rcode=Rcode.REFUSED, error=error, plugin="forward", options=(told,))
        assert await ask(forward) == expected
        assert len(served.asked) == 2
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)
        served.script = serving(ANSWER)
        assert (await ask(forward)).answer == ANSWER


async def test_places_for_exchanges_are_those_of_all_forwards() -> None:
    places = ExchangePlaces(2)
    async with upstreams(silent) as (served,):
        one, two = (
            forwarding([served.port], places=places, attempt_s=PATIENCE_S, total_s=PATIENCE_S)
            for _ in range(2)
        )
        waiting = [asyncio.ensure_future(ask(forward)) for forward in (one, two)]
        await until(lambda: len(served.asked) == 2)
        error = "upstream exchanges exceeded maximum 2, our share of the limit of open files"
        for forward in (one, two):
            reply = await ask(forward, query("other.test."))
            told = told_cause(ExtendedError.OTHER, "too many questions to upstreams at a time")
            assert reply == Reply(rcode=Rcode.SERVFAIL, error=error, plugin="forward", options=(told,))
        assert len(served.asked) == 2
        for question in waiting:
            question.cancel()
        await asyncio.wait(waiting)
        served.script = serving(ANSWER)
        assert (await ask(one)).answer == ANSWER
    assert places.taken == 0


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_upstreams_are_not_blamed_for_files_that_we_lack(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    class Wanting(socket.socket):
        def __init__(self, *arguments: object, **_: object) -> None:
            tried.append(arguments)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    probes = Probes(ForwardCounters())
    async with upstreams(serving(ANSWER), serving(ANSWER)) as (one, two), probes.lifespan():
        forward = forwarding([one.port, two.port], "policy sequential\nhealth_check 10ms", probes=probes)
        with monkeypatch.context() as patched:
            patched.setattr(socket, "socket", Wanting)
            reply = await ask(forward, query(protocol=protocol))
            await asyncio.sleep(0.05)
        text = f"dial {protocol} 127.0.0.1:{one.port}: socket: too many open files"
        told = told_cause(ExtendedError.OTHER, "too many open files")
        assert reply == Reply(rcode=Rcode.SERVFAIL, error=text, plugin="forward", options=(told,))
        assert len(tried) == 1  # the other upstream could not be asked either, and there was no check
        assert repr(forward).count("fails=0") == 2
        assert (await ask(forward)).answer == ANSWER


async def test_checks_that_cannot_be_made_here_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upstream is being checked when files run out: it is not down for that."""
    tried: list[object] = []

    class Wanting(socket.socket):
        def __init__(self, *arguments: object, **_: object) -> None:
            tried.append(arguments)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    sick, probes = Sick(), Probes(ForwardCounters())
    async with upstreams(sick) as (bad,), probes.lifespan():
        forward = forwarding([bad.port], f"{HASTE}\nmax_fails 1000", probes=probes)
        await ask(forward, TCP)
        await until(lambda: len(sick.checks) >= 1)
        with monkeypatch.context() as patched:
            patched.setattr(socket, "socket", Wanting)
            await until(lambda: len(tried) >= 1)
            before = repr(forward)
            await until(lambda: len(tried) >= 4)
            assert repr(forward) == before


class Sick:
    """Answers checks (NS queries) when `well`, other queries never; `checks` are the checks that came."""

    def __init__(self) -> None:
        self.well = False
        self.checks: list[tuple[str, bytes]] = []

    def __call__(self, octets: bytes, by: str) -> Sequence[bytes] | None:
        if Message.decode(octets).questions[0].rtype != Type.NS:
            return None
        self.checks.append((by, octets))
        return sent(reply_to(octets, rcode=Rcode.REFUSED), by) if self.well else None


TCP = query(protocol="tcp")
HASTE = "policy sequential\nforce_tcp\nhealth_check 10ms"


async def test_down_and_up_again() -> None:
    sick, probes = Sick(), Probes(ForwardCounters())
    async with upstreams(sick, serving(ANSWER)) as (bad, good), probes.lifespan():
        forward = forwarding([bad.port, good.port], HASTE, probes=probes)
        for _ in range(3):
            assert (await ask(forward, TCP)).answer == ANSWER
        await until(lambda: len(sick.checks) > 3)
        asked = len(bad.asked) - len(sick.checks)
        assert (await ask(forward, TCP)).answer == ANSWER
        assert len(bad.asked) - len(sick.checks) == asked  # passed over
        sick.well = True
        await until(lambda: repr(forward).count("fails=0") == 2)
        checks = len(sick.checks)
        await asyncio.sleep(0.05)
        assert len(sick.checks) == checks  # no more checks
        await ask(forward, TCP)
        assert len(bad.asked) - len(sick.checks) == asked + 1


@pytest.mark.parametrize(
    ("options", "by", "flags", "domain"),
    [
        (HASTE, "tcp", Flag.RD, "."),
        (HASTE + " no_rec", "tcp", 0, "."),
        (HASTE + " domain A.test", "tcp", Flag.RD, "a.test."),
        ("policy sequential\nhealth_check 10ms", "udp", Flag.RD, "."),
    ],
)
async def test_check(options: str, by: str, flags: int, domain: str) -> None:
    sick, probes = Sick(), Probes(ForwardCounters())
    async with upstreams(sick) as (bad,), probes.lifespan():
        await ask(forwarding([bad.port], options, probes=probes, attempt_s=0.05), query(protocol=by))
        await until(lambda: len(sick.checks) >= 2)
    for protocol, octets in sick.checks:
        message = Message.decode(octets)
        assert (protocol, message.header.flags) == (by, flags)
        assert message.questions == (Question(names.from_text(domain), Type.NS),)
    assert len({octets[:2] for _, octets in sick.checks}) > 1 or len(sick.checks) < 3


async def test_interval() -> None:
    sick, probes = Sick(), Probes(ForwardCounters())
    async with upstreams(sick) as (bad,), probes.lifespan():
        await ask(forwarding([bad.port], "force_tcp\nhealth_check 1h", probes=probes), TCP)
        await until(lambda: len(sick.checks) == 1)
        await asyncio.sleep(0.1)
        assert len(sick.checks) == 1


async def test_interval_of_zero_is_no_flood() -> None:
    sick, probes = Sick(), Probes(ForwardCounters())
    async with upstreams(sick) as (bad,), probes.lifespan():
        await ask(forwarding([bad.port], "force_tcp\nhealth_check 0", probes=probes), TCP)
        await asyncio.sleep(0.1)
        assert 1 <= len(sick.checks) <= 12


@pytest.mark.parametrize(("max_fails", "down"), [(0, False), (1, True), (1000, False)])
async def test_max_fails(max_fails: int, down: bool) -> None:
    sick, probes = Sick(), Probes(ForwardCounters())
    async with upstreams(sick, serving(ANSWER)) as (bad, good), probes.lifespan():
        forward = forwarding([bad.port, good.port], f"{HASTE}\nmax_fails {max_fails}", probes=probes)
        await ask(forward, TCP)
        if max_fails:
            await until(lambda: len(sick.checks) > 3)
        else:
            await asyncio.sleep(0.05)
            assert sick.checks == []
        asked = len(bad.asked) - len(sick.checks)
        await ask(forward, TCP)
        assert len(bad.asked) - len(sick.checks) == asked + (0 if down else 1)


async def test_all_down_asks_any_one_once() -> None:
    first, second, probes = Sick(), Sick(), Probes(ForwardCounters())
    async with upstreams(first, second) as (one, two), probes.lifespan():
        forward = forwarding([one.port, two.port], HASTE, probes=probes)
        await ask(forward, TCP)
        await until(lambda: min(len(first.checks), len(second.checks)) > 3)
        before = len(one.asked) + len(two.asked) - len(first.checks) - len(second.checks)
        reply = await ask(forward, TCP)
        after = len(one.asked) + len(two.asked) - len(first.checks) - len(second.checks)
        assert (reply.rcode, reply.error, after - before) == (Rcode.SERVFAIL, "EOF", 1)


async def test_checks_end_with_the_plugin() -> None:
    sick, probes = Sick(), Probes(ForwardCounters())
    async with upstreams(sick) as (bad,):
        forward = forwarding([bad.port], HASTE, probes=probes)
        entered = probes.lifespan()
        await asyncio.create_task(entered.__aenter__())  # one task enters, another leaves
        await ask(forward, TCP)
        await until(lambda: len(sick.checks) > 1)
        await entered.__aexit__(None, None, None)
        checks = len(sick.checks)
        await ask(forward, TCP)
        await asyncio.sleep(0.05)
        assert len(sick.checks) == checks
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("probe")]
