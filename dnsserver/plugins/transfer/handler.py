"""AXFR and IXFR out (RFC 5936, RFC 1995), and NOTIFY (RFC 1996)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.plugin import Handler, Plugin, ZoneCopy
from dnsserver.plugins.transfer.settings import TransferRule, TransferSettings
from dnsserver.transports.notifying import NotifyError, notify_error, send_notify
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire import names
from dnsserver.wire.codes import ExtendedError, Rcode, Type
from dnsserver.wire.edns import told_cause
from dnsserver.wire.errors import WireError
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record

_log = plugin_logger("transfer")

#: Seconds from a change to the NOTIFY: until then this process's sockets are open, the other processes have read the
#: zone too, and several changes are one.
NOTIFY_DELAY_S = 1.0
#: NOTIFY messages under way at a time.
NOTIFIES_MAX = 32

_ONE_MESSAGE = Reply(
    rcode=Rcode.REFUSED,
    options=(told_cause(ExtendedError.NOT_SUPPORTED, "transfers by TCP only: UDP and HTTPS have no room"),),
)
_NOT_ALLOWED = Reply(
    rcode=Rcode.REFUSED,
    options=(told_cause(ExtendedError.PROHIBITED, "this client is none that plugin transfer names"),),
    plugin="transfer",
)
_NO_SERIAL = Reply(
    rcode=Rcode.SERVFAIL,
    options=(told_cause(ExtendedError.OTHER, "IXFR without the SOA record of the zone it has"),),
    error="IXFR without one SOA record in its authority section",
)


class TransferHandler:
    """Gives zones of the plugins in *block* to those who may have them; everything else goes to *following*."""

    def __init__(
        self, settings: TransferSettings, following: Handler, block: Callable[[], Sequence[Plugin]]
    ) -> None:
        self._settings = settings
        self._next = following
        self._block = block

    async def __call__(self, query: Query) -> Reply | None:
        rtype = query.question.rtype
        if rtype not in (Type.AXFR, Type.IXFR):
            return await self._next(query)
        if (
            query.arrival.protocol == "udp" or query.arrival.scheme == "https"
        ):  # one message has no room for a zone
            return _ONE_MESSAGE
        rule = self._settings.rule(query.name)
        if rule is None:
            return await self._next(query)
        if not rule.allows(query.arrival.client_host):
            return _NOT_ALLOWED
        theirs: int | None = None
        if rtype == Type.IXFR:
            theirs = _serial(query)
            if theirs is None:
                return _NO_SERIAL
        copy = self._copy(query.name)
        return await self._next(query) if copy is None else _transfer(copy, theirs, query)

    def _copy(self, origin: bytes) -> ZoneCopy | None:
        for plugin in self._block():
            found = None if plugin.zone_copy is None else plugin.zone_copy(origin)
            if found is not None:
                return found
        return None


def _serial(query: Query) -> int | None:
    """The serial that the client of an IXFR has."""
    try:
        authority = Message.decode(query.octets).authority
    except WireError:  # it was well formed when it came; `follow` makes others
        return None
    if len(authority) != 1 or authority[0].rtype != Type.SOA or len(authority[0].rdata.tail) != 20:
        return None
    return int.from_bytes(authority[0].rdata.tail[:4], "big")


def is_newer(serial: int, other: int) -> bool:
    """Whether *serial* comes after *other* (RFC 1982 section 3.2)."""
    return serial != other and (serial - other) & 0xFFFFFFFF < 1 << 31


def _transfer(copy: ZoneCopy, theirs: int | None, query: Query) -> Reply:
    """The whole zone; to a client that has it already (serial *theirs*) the SOA record alone (RFC 1995 section 2)."""
    zone, client = names.to_text(query.name), query.arrival.client_host
    if theirs is not None and not is_newer(copy.serial, theirs):
        _log.info(
            'Outgoing noop, incremental transfer for up to date zone "%s" to %s for %d SOA serial',
            zone,
            client,
            copy.serial,
        )
        return Reply(answer=(copy.soa,), authoritative=True, plugin="transfer")

    def following() -> Iterator[Record]:
        number = 2
        for record in copy.records():
            number += 1
            yield record
        yield copy.soa
        _log.info(
            'Outgoing transfer of %d records of zone "%s" to %s for %d SOA serial',
            number,
            zone,
            client,
            copy.serial,
        )

    return Reply(answer=(copy.soa,), authoritative=True, plugin="transfer", following=following)


class Notifier:
    """Tells the hosts of the rules about changes, each zone NOTIFY_DELAY_S after the first of them."""

    def __init__(self, settings: TransferSettings) -> None:
        self._settings = settings
        self._tasks: TaskHome | None = None
        self._waiting: set[bytes] = set()
        self._places = asyncio.Semaphore(NOTIFIES_MAX)

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        tasks = TaskHome("transfer")
        await tasks.open()
        self._tasks = tasks
        try:
            yield
        finally:
            self._tasks = None
            await tasks.close()

    def notify(self, origin: bytes) -> None:
        """As Plugin has it; nothing while this process does not answer."""
        rule = self._settings.rule(origin)
        if self._tasks is None or rule is None or not rule.to or origin in self._waiting:
            return
        self._waiting.add(origin)
        self._tasks.spawn(self._notify(origin, rule), f"notify for {names.to_text(origin)}")

    async def _notify(self, origin: bytes, rule: TransferRule) -> None:
        try:
            await asyncio.sleep(NOTIFY_DELAY_S)
        finally:
            self._waiting.discard(origin)
        for address in rule.to:
            try:
                async with self._places:
                    await send_notify(origin, address.host, address.port, rule.source)
            except NotifyError as error:
                _log.warning("Failed sending notifies: %s", notify_error(origin, str(address), error))
