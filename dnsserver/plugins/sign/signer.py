"""Signing zone files in time."""

import asyncio
import contextlib
import os
import random
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.sign.settings import ZoneToSign
from dnsserver.plugins.zone_files import open_error
from dnsserver.sources.signing.zones import SigningStoppedError, signed_lines, unsigned
from dnsserver.sources.zonefile import ReadingStoppedError, ZoneFileError, load_zone, read_records
from dnsserver.wire import names
from dnsserver.wire.codes import Type

_log = plugin_logger("sign")

#: Seconds. How often signatures are looked at; they are made anew when less than LEFT_S is left, or they are AGE_S old.
#: All of these are CoreDNS's.
CHECK_S, LEFT_S, AGE_S = 5 * 3600, 7 * 86_400, 6 * 86_400
#: Seconds. Signatures begin so long before now, and up to so much earlier.
BEFORE_S, BEFORE_JITTER_S = 3 * 3600, 18 * 3600
#: Seconds. They end so long after now, and up to so much later.
LIFE_S, LIFE_JITTER_S = 32 * 86_400, 5 * 86_400
#: Records at the beginning of a signed file, among which the signature of the SOA record has to be.
SOUGHT = 100


class ZoneSigner:
    """Keeps signed files fresh. *now*: Unix seconds."""

    def __init__(self, zones: Sequence[ZoneToSign], now: Callable[[], float]) -> None:
        self._zones = tuple(zones)
        self._now = now
        self._stopped = threading.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sign what needs it, at once and then in time."""
        self._stopped.clear()
        signing = asyncio.create_task(self._run(), name="sign")
        try:
            yield
        finally:
            self._stopped.set()
            signing.cancel()
            await asyncio.wait((signing,))

    async def _run(self) -> None:
        first = True
        while True:
            for zone in self._zones:
                await asyncio.to_thread(self.look, zone, first=first)
            first = False
            await asyncio.sleep(CHECK_S)

    def look(self, zone: ZoneToSign, *, first: bool = False) -> None:
        """Sign *zone* if it needs that; what is wrong is logged."""
        origin = names.to_text(zone.origin)
        why = self.reason(zone)
        if not why:
            if first:
                _log.info('Skipping signing zone "%s" in "%s": signatures are valid', origin, zone.signed)
            return
        _log.info('Signing "%s" because %s', origin, why)
        begun, tags = self._now(), ",".join(str(key.tag) for key in zone.keys)
        following = _time_text(begun + CHECK_S)
        try:
            serial = self._sign(zone)
        except (OSError, ZoneFileError, ValueError) as error:
            reason = open_error(zone.path, error) if isinstance(error, OSError) else error
            _log.warning(
                'Error signing "%s" with key tags "%s" in %gs: %s, next: %s',
                origin,
                tags,
                self._now() - begun,
                reason,
                following,
            )
        except (ReadingStoppedError, SigningStoppedError):
            return
        else:
            _log.info(
                'Successfully signed zone "%s" in "%s" with key tags "%s" and %d SOA serial, elapsed %f, next: %s',
                origin,
                zone.signed,
                tags,
                serial,
                self._now() - begun,
                following,
            )

    def reason(self, zone: ZoneToSign) -> str:
        """Why *zone* has to be signed; "" when its signatures are good for now."""
        now = self._now()
        try:
            for record in islice(read_records(zone.signed, zone.origin), SOUGHT):
                head = record.rdata.head
                if record.rtype != Type.RRSIG or int.from_bytes(head[:2], "big") != Type.SOA:
                    continue
                end, begin = int.from_bytes(head[8:12], "big"), int.from_bytes(head[12:16], "big")
                if begin > now:
                    return f'inception "{_time_text(begin)}" date is in the future'
                if now - begin > AGE_S:
                    return f'inception "{_time_text(begin)}" was more than {AGE_S // 3600}h ago'
                if end - now < LEFT_S:
                    return f'expiration "{_time_text(end)}" is less than {LEFT_S // 3600}h away'
                return ""
        except OSError as error:
            return open_error(zone.signed, error)
        except ZoneFileError as error:
            return str(error)
        return f"no SOA RRSIG found in first {SOUGHT} records"

    def _sign(self, zone: ZoneToSign) -> int:
        """Write the signed file, and put it in its place once it is whole; the new serial."""
        loaded = load_zone(zone.path, zone.origin, stopped=self._stopped.is_set)
        now = int(self._now())
        span = (
            now - BEFORE_S - random.randrange(BEFORE_JITTER_S),
            now + LIFE_S + random.randrange(LIFE_JITTER_S),
        )
        if loaded is None:
            raise ReadingStoppedError
        plain = unsigned(loaded.zone, zone.keys, now)
        with tempfile.NamedTemporaryFile("w", dir=zone.signed.parent, prefix="signed-", delete=False) as file:
            try:
                for line in signed_lines(plain, zone.keys, span, self._stopped.is_set):
                    file.write(line + "\n")
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                Path(file.name).replace(zone.signed)
            except BaseException:
                Path(file.name).unlink()
                raise
        return now


def _time_text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
