"""The border to the responder: whatever it does, a transport gets octets that can be sent, or None."""

import asyncio
import logging

from dnsserver.transports.limits import TransportCounters, TransportLimits
from dnsserver.transports.responder import Arrival, Responder
from dnsserver.wire.limits import MESSAGE_MAX

_log = logging.getLogger(__name__)


async def ask(
    responder: Responder,
    query: bytes,
    arrival: Arrival,
    limits: TransportLimits,
    counters: TransportCounters,
) -> bytes | None:
    """The responder's reply; None also when it takes too long or breaks its promise never to raise."""
    try:
        async with asyncio.timeout(limits.answer_s):
            return await ask_patiently(responder, query, arrival, counters)
    except TimeoutError:
        counters.answers_late += 1
        return None


async def ask_patiently(
    responder: Responder, query: bytes, arrival: Arrival, counters: TransportCounters
) -> bytes | None:
    """The same for who sees to the time that it takes, by cancelling."""
    reply: object = None
    try:
        reply = await responder(query, arrival)
    except Exception as error:
        _failed(f"raised {error!r}", arrival, counters, error)
        return None
    if reply is None:
        return None
    if not isinstance(reply, bytes) or len(reply) > MESSAGE_MAX:
        _failed("gave what cannot be sent", arrival, counters, None)
        return None
    return reply


def _failed(what: str, arrival: Arrival, counters: TransportCounters, error: Exception | None) -> None:
    """Count, and log the 1st, 2nd, 4th, 8th... time: a client must not be able to fill the log."""
    counters.answers_failed += 1
    if counters.answers_failed & (counters.answers_failed - 1) == 0:
        _log.error(
            "the responder %s for %s (time %d)", what, arrival, counters.answers_failed, exc_info=error
        )
