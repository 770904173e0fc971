"""forward: what happens on failures, several `forward`, host names, metrics."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dnsserver.observability.families import AnyFamily, HistogramFamily
from dnsserver.plugins.addresses import Address
from dnsserver.plugins.forward import setup
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.metadata import labels
from dnsserver.plugins.forward.options import settings_of
from dnsserver.plugins.forward.probes import Probes
from dnsserver.plugins.forward.resolving import NotFoundError, addresses_of, resolved
from dnsserver.plugins.forward.upstreams import Upstreams
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from tests.plugins.forward.hasty import ANSWER, ask, forwarding, upstreams
from tests.plugins.helpers import address, directive, handler, query, replying, site
from tests.support.upstream import PATIENCE_S, closed_port, closing, reply_to, sent, serving, silent, until

# How often.


@pytest.mark.parametrize(
    ("options", "asked"),
    [("", 4), ("max_connect_attempts 1", 1), ("max_connect_attempts 3", 3), ("max_connect_attempts 7", 7)],
)
async def test_max_connect_attempts(options: str, asked: int) -> None:
    async with upstreams(closing, closing) as (one, two):
        forward = forwarding([one.port, two.port], f"policy sequential\nforce_tcp\n{options}", attempt_s=1)
        assert (await ask(forward)).rcode == Rcode.SERVFAIL
        assert len(one.asked) + len(two.asked) == asked


async def test_attempts_without_limit_end_with_the_time_and_are_no_flood() -> None:
    async with upstreams(closing) as (one,):
        begun = time.monotonic()
        forward = forwarding([one.port], "force_tcp\nmax_connect_attempts 0", total_s=0.5)
        assert (await ask(forward)).rcode == Rcode.SERVFAIL
        assert time.monotonic() - begun >= 0.45
        assert 3 <= len(one.asked) <= 12


async def test_read_timeout() -> None:
    async with upstreams(silent) as (one,):
        begun = time.monotonic()
        options = "read_timeout 50ms\nmax_connect_attempts 1"
        reply = await ask(forwarding([one.port], options, total_s=PATIENCE_S))
        assert reply.error.endswith("i/o timeout")
        assert time.monotonic() - begun < PATIENCE_S / 2


async def test_source_address() -> None:
    async with upstreams(serving(ANSWER)) as (one,):
        forward = forwarding([one.port], "source_address 127.0.0.9\nmax_connect_attempts 1")
        for protocol in ("udp", "tcp"):
            assert (await ask(forward, query(protocol=protocol))).answer == ANSWER
        assert set(one.hosts) == {"127.0.0.9"}
        other = forwarding([one.port], "source_address ::1\nmax_connect_attempts 1")
        reply = await ask(other)
        expected = f"dial udp 127.0.0.1:{one.port}: bind: mismatched local address type ::1"
        assert reply.error == expected


# Replies that another shall answer for.


@pytest.mark.parametrize(
    ("options", "rcodes", "answer", "asked"),
    [
        ("", (2, 0), 2, (1, 0)),
        ("failover SERVFAIL", (2, 0), 0, (1, 1)),
        ("failover SERVFAIL REFUSED", (5, 0), 0, (1, 1)),
        ("failover REFUSED", (2, 0), 2, (1, 0)),
        ("failover NXDOMAIN SERVFAIL", (3, 2), 2, (1, 1)),
    ],
)
async def test_failover(options: str, rcodes: tuple[int, int], answer: int, asked: tuple[int, int]) -> None:
    async with upstreams(*(serving(rcode=rcode) for rcode in rcodes)) as (one, two):
        forward = forwarding([one.port, two.port], f"policy sequential\n{options}")
        assert (await ask(forward)).rcode == answer
        assert (len(one.asked), len(two.asked)) == asked


async def test_failover_gives_the_last_reply_when_the_rest_is_silence() -> None:
    async with upstreams(serving(rcode=Rcode.REFUSED), silent) as (one, two):
        forward = forwarding([one.port, two.port], "policy sequential\nfailover REFUSED")
        reply = await ask(forward)
        assert (reply.rcode, reply.error) == (Rcode.REFUSED, "")


@pytest.mark.parametrize(
    ("options", "first", "rcode", "goes_on"),
    [
        ("next NXDOMAIN", (), Rcode.NXDOMAIN, True),
        ("next NXDOMAIN SERVFAIL", (), Rcode.SERVFAIL, True),
        ("next NXDOMAIN", (), Rcode.SERVFAIL, False),
        ("", (), Rcode.NXDOMAIN, False),
        ("next_on_nodata", (), Rcode.NOERROR, True),
        ("next_on_nodata", ANSWER, Rcode.NOERROR, False),
        ("next_on_nodata", (), Rcode.NXDOMAIN, False),
        ("", (), Rcode.NOERROR, False),
    ],
)
async def test_next(options: str, first: Sequence[Record], rcode: int, goes_on: bool) -> None:
    last = (address("192.0.2.99"),)
    async with upstreams(serving(first, rcode=rcode), serving(last)) as (one, two):
        text = (
            f"forward . 127.0.0.1:{one.port} {{\n{options}\n}}\n"
            f"forward . 127.0.0.1:{two.port} {{\n{options}\n}}"
        )
        reply = await ask(handler(setup, text, replying(None)))
        assert (reply.answer == last) == goes_on
        assert len(two.asked) == int(goes_on)


async def test_next_without_another_forward_is_nothing() -> None:
    async with upstreams(serving(rcode=Rcode.NXDOMAIN)) as (one,):
        text = f"forward . 127.0.0.1:{one.port} {{\nnext NXDOMAIN\n}}"
        assert (await ask(handler(setup, text, replying(None)))).rcode == Rcode.NXDOMAIN


async def test_the_time_of_a_question_is_that_of_all_forwards_together() -> None:
    async with upstreams(serving(rcode=Rcode.NXDOMAIN), silent) as (one, two):
        last = forwarding([two.port], attempt_s=1, total_s=10)
        first = forwarding([one.port], "next NXDOMAIN", last, total_s=0.3)
        begun = time.monotonic()
        assert (await ask(first)).rcode == Rcode.SERVFAIL
        assert time.monotonic() - begun < 0.9


@pytest.mark.parametrize(("options", "more"), [("", 1), ("failfast_all_unhealthy_upstreams", 0)])
async def test_all_down(options: str, more: int) -> None:
    counters = ForwardCounters()
    probes = Probes(counters)
    async with upstreams(silent) as (one,), probes.lifespan():
        text = f"health_check 10ms\nmax_fails 1\nmax_connect_attempts 1\n{options}"
        forward = forwarding([one.port], text, probes=probes, counters=counters, attempt_s=0.02)
        await ask(forward)
        await until(lambda: counters.failed_checks[f"127.0.0.1:{one.port}"] > 1)
        before = counters.broken
        asked = [octets for _, octets in one.asked if Message.decode(octets).questions[0].rtype == Type.A]
        reply = await ask(forward)
        again = [octets for _, octets in one.asked if Message.decode(octets).questions[0].rtype == Type.A]
        assert (reply.rcode, counters.broken - before) == (Rcode.SERVFAIL, 1)
        assert len(again) - len(asked) == more
        assert (reply.error == "no healthy proxies") == (not more)


# Host names.


async def test_host_names_by_a_resolver() -> None:
    def resolver(octets: bytes, by: str) -> Sequence[bytes]:
        question = Message.decode(octets).questions[0]
        found = ("127.0.0.1", "127.0.0.2") if question.rtype == Type.A else ("::1",)
        return sent(reply_to(octets, [address(text, "dns.test.") for text in found]), by)

    async with upstreams(silent, resolver) as (_, good):
        text = f"forward . dns.test:5353 127.0.0.2:5353 10.0.0.1 {{\nresolver 127.0.0.1:{good.port}\n}}"
        settings = settings_of(directive(text).occurrences[0], Path("/"))
        asked = Upstreams(settings, ForwardCounters())
        assert len(asked) == 2
        async with resolved(settings, asked):
            found = [upstream.name for upstream, _ in zip(asked.attempts(), range(len(asked)), strict=False)]
            assert sorted(found) == ["10.0.0.1:53", "127.0.0.1:5353", "127.0.0.2:5353", "[::1]:5353"]
            asked_for = [Message.decode(octets).questions[0] for _, octets in good.asked]
            name = names.from_text("dns.test")
            assert asked_for == [Question(name, Type.A), Question(name, Type.AAAA)]


async def test_host_names_that_are_not_found_at_first(caplog: pytest.LogCaptureFixture) -> None:
    async with upstreams(serving(), serving(ANSWER)) as (resolver, target):
        text = f"forward . dns.test:{target.port} {{\nresolver 127.0.0.1:{resolver.port}\n}}"
        settings = settings_of(directive(text).occurrences[0], Path("/"))
        asked = Upstreams(settings, ForwardCounters())
        async with resolved(settings, asked):
            error = 'failed to resolve "dns.test": no addresses found for "dns.test"'
            assert (len(asked), asked.trouble) == (0, error)
            assert error in caplog.messages
            resolver.script = serving((address("127.0.0.1", "dns.test."),))
            await until(lambda: len(asked) == 1)


async def test_the_next_resolver_is_asked_when_one_fails() -> None:
    async with upstreams(serving((address("127.0.0.7", "dns.test."),))) as (good,):
        resolvers = (Address("127.0.0.1", closed_port()), Address("127.0.0.1", good.port))
        assert await addresses_of("dns.test", resolvers) == ["127.0.0.7"]
        with pytest.raises(NotFoundError, match="connection refused"):
            await addresses_of("dns.test", resolvers[:1])


async def test_host_names_as_this_host_finds_them() -> None:
    assert "127.0.0.1" in await addresses_of("localhost", ())


# Metrics, metadata, the fast path.


def numbers(families: Iterable[AnyFamily]) -> dict[str, dict[tuple[str, ...], float]]:
    """Counters as they are, histograms by how many observations they have."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in families:
        if isinstance(family, HistogramFamily):
            found[family.name] = {labels: sum(value.counts) for labels, value in family.samples}
        else:
            found[family.name] = dict(family.samples)
    return found


async def test_metrics() -> None:
    counters = ForwardCounters()
    found = numbers(counters.families())
    assert found["coredns_forward_healthcheck_broken_total"] == {(): 0}
    assert found["coredns_forward_max_concurrent_rejects_total"] == {(): 0}
    async with upstreams(serving(ANSWER), serving(rcode=Rcode.NXDOMAIN)) as (one, two):
        for served in (one, two):
            forward = forwarding([served.port], "max_concurrent 1", counters=counters)
            asking = (ask(forward, query(f"n{number}.test.")) for number in range(2))
            await asyncio.gather(*asking)
        await ask(forward, query(protocol="tcp"))
        first, second = (f"127.0.0.1:{served.port}" for served in (one, two))
    found = numbers(counters.families())
    assert found["coredns_forward_max_concurrent_rejects_total"] == {(): 2}
    assert found["coredns_proxy_request_duration_seconds"] == {
        ("forward", first, "NOERROR"): 1,
        ("forward", second, "NXDOMAIN"): 2,
    }
    assert found["coredns_proxy_conn_cache_misses_total"] == {
        ("forward", first, "udp"): 1,
        ("forward", second, "udp"): 1,
        ("forward", second, "tcp"): 1,
    }


async def test_metadata() -> None:
    async with upstreams(serving(ANSWER)) as (one,):
        asked = query()
        asked = replace(asked, labels=labels(asked))
        assert asked.labels["forward/upstream"]() == ""
        await ask(forwarding([one.port]), asked)
        assert asked.labels["forward/upstream"]() == f"127.0.0.1:{one.port}"


def test_names_that_it_leaves_alone() -> None:
    plugin = setup(
        directive("forward a.test 192.0.2.1 {\nexcept b.a.test\n}\nforward c.test 192.0.2.1"), site()
    )
    assert plugin.leaves_alone is not None
    found = {
        name: plugin.leaves_alone(query(name).question)
        for name in ("X.a.test.", "b.a.test.", "c.test.", "test.")
    }
    assert found == {"X.a.test.": False, "b.a.test.": True, "c.test.": False, "test.": True}
