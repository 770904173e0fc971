"""Keeping the copy of a zone equal to its primaries' (RFC 1034 section 4.3.5, RFC 1996)."""

import asyncio
import contextlib
import os
import random
import secrets
import struct
from collections.abc import AsyncIterator

from dnsserver.answering.inbound import TransferError, serial_of, transfer_query
from dnsserver.config.gotext import duration_text
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.addresses import Address
from dnsserver.plugins.secondary.copies import ZoneFileCopy
from dnsserver.plugins.transfer.handler import is_newer
from dnsserver.transports.streaming import replies
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Record

_log = plugin_logger("secondary")

#: Seconds between two looks whether NOTIFY has come.
LOOK_S = 0.25
#: Seconds. While there is no zone yet, first and longest pause between attempts: CoreDNS's.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0
#: Seconds. Checks come up to so much later, so that not all servers ask at once: CoreDNS's.
REFRESH_JITTER_S, RETRY_JITTER_S = 5.0, 2.0


class ZoneFollower:
    """Checks the serial every `refresh` seconds of the SOA record, every `retry` seconds while that fails, and when
    NOTIFY has come; transfers what is newer."""

    def __init__(self, copy: ZoneFileCopy) -> None:
        self._copy = copy
        self._zone = names.to_text(copy.origin)
        self._seen = copy.marked()

    async def run(self) -> None:
        """Until cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            soa = await asyncio.to_thread(self._copy.soa)
            if soa is None:
                problem = await self._transferred()
                if not problem:
                    continue
                shown = duration_text(pause)
                _log.warning(
                    "All '%s' masters failed to transfer, retrying in %s: %s", self._zone, shown, problem
                )
                await self._woken(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                continue
            well = await self._checked(soa)
            refresh, retry = struct.unpack("!2L", soa.rdata.tail[4:12])
            jitter = REFRESH_JITTER_S if well else RETRY_JITTER_S
            await self._woken(max(refresh if well else retry, 1) + random.uniform(0, jitter))

    async def _woken(self, pause_s: float) -> None:
        """Wait, or until NOTIFY has come; at least LOOK_S, as anybody can send NOTIFY in the primary's name."""
        loop = asyncio.get_running_loop()
        end = loop.time() + pause_s
        while (left := end - loop.time()) > 0:
            await asyncio.sleep(min(LOOK_S, left))
            marked = self._copy.marked()
            if marked != self._seen:
                self._seen = marked
                return

    async def _checked(self, soa: Record) -> bool:
        """Transfer the zone if a primary has a newer one; whether that went well."""
        ours = int.from_bytes(soa.rdata.tail[:4], "big")
        problem = ""
        for primary in self._copy.primaries:
            try:
                theirs = await self._serial(primary)
            except (OSError, TransferError) as error:
                problem = _reason(error)
                continue
            if not is_newer(theirs, ours):
                self._copy.confirm()
                return True
            return not await self._transferred()
        _log.warning("Failed refresh check %s", problem)
        return False

    async def _serial(self, primary: Address) -> int:
        """Over TCP, as that is harder to forge."""
        query = transfer_query(self._copy.origin, secrets.randbelow(1 << 16), Type.SOA)
        async with contextlib.aclosing(replies(query, primary.host, primary.port)) as messages:
            return serial_of(await _first(messages, query), self._copy.origin)

    async def _transferred(self) -> str:
        """From the first primary that has the zone; what is wrong with the last one if none has."""
        problem = ""
        for primary in self._copy.primaries:
            query = transfer_query(self._copy.origin, secrets.randbelow(1 << 16))
            try:
                async with contextlib.aclosing(replies(query, primary.host, primary.port)) as messages:
                    await self._copy.receive(messages)
            except (OSError, TransferError) as error:
                problem = _reason(error)
                _log.error('Failed to transfer `%s\' from "%s": %s', self._zone, primary, problem)
            else:
                _log.info("Transferred: %s from %s", self._zone, primary)
                return ""
        return problem


async def _first(messages: AsyncIterator[bytes], query: bytes) -> bytes:
    """The first message with the query's ID."""
    async for message in messages:
        if message[:2] == query[:2]:
            return message
    raise TransferError("no reply")


def _reason(error: Exception) -> str:
    """Errors of the system in its own words, as Go spells them."""
    if isinstance(error, TimeoutError):
        return "i/o timeout"
    if isinstance(error, OSError) and error.errno is not None:
        text = os.strerror(error.errno)
        return text[:1].lower() + text[1:]
    return str(error)
