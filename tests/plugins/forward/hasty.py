"""Forwarding in a hurry: handlers with short times, and upstreams to ask."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.handler import Forward
from dnsserver.plugins.forward.options import settings_of
from dnsserver.plugins.forward.probes import Probes
from dnsserver.plugins.forward.upstreams import Upstreams
from dnsserver.plugins.plugin import Handler, no_next_plugin
from dnsserver.transports.exchange import ExchangePlaces
from tests.plugins.helpers import address, directive, query
from tests.support.upstream import Script, Upstream, upstream

ANSWER = (address("192.0.2.1"),)
#: Closed at the end of each test (conftest.py).
MADE: list[Upstreams] = []
#: Seconds, in place of 5 s for a question, 2 s for an attempt and 1 s for a check.
TOTAL_S, ATTEMPT_S, PROBE_S = 0.5, 0.2, 0.1


def forwarding(
    ports: Sequence[int],
    options: str = "policy sequential",
    following: Handler = no_next_plugin,
    *,
    probes: Probes | None = None,
    places: ExchangePlaces | None = None,
    origin: str = ".",
    total_s: float = TOTAL_S,
    attempt_s: float = ATTEMPT_S,
    counters: ForwardCounters | None = None,
    to: str = "127.0.0.1:{}",
) -> Forward:
    """A handler for upstreams on these ports, in a hurry."""
    text = f"forward {origin} {' '.join(map(to.format, ports))} {{\n{options}\n}}"
    settings = settings_of(directive(text).occurrences[0], Path("/"))
    read_s = settings.read_s if "read_timeout" in options else attempt_s
    settings = replace(settings, total_s=total_s, read_s=read_s, probe_s=PROBE_S)
    counters = counters or ForwardCounters()
    asked = Upstreams(settings, counters)
    MADE.append(asked)
    return Forward(
        following, settings, asked, probes or Probes(counters), places or ExchangePlaces(100), counters
    )


def close_all() -> None:
    """Close the sockets of what `forwarding` has made."""
    while MADE:
        MADE.pop().close()


async def ask(forward: Handler, asked: Query | None = None) -> Reply:
    reply = await forward(asked or query())
    assert reply is not None
    return reply


@contextlib.asynccontextmanager
async def upstreams(*scripts: Script) -> AsyncIterator[list[Upstream]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(upstream(script)) for script in scripts]
