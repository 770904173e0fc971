"""NOTIFY to another server, over UDP (RFC 1996)."""

import asyncio
import secrets
from typing import Any, cast

from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Opcode, Rcode, Type, rcode_name
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question

#: Seconds to wait for the confirmation of one NOTIFY, and how often it is sent: CoreDNS's.
TIMEOUT_S, ATTEMPTS = 2.0, 3


class NotifyError(Exception):
    """Nobody confirmed it: the message says why."""


async def send_notify(zone: bytes, host: str, port: int, source: str = "") -> None:
    """Tell the server at *host*, an IP address, that *zone* has changed; from the address *source*, if given."""
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            rcode = await asyncio.wait_for(_asked(zone, host, port, source), TIMEOUT_S)
        except TimeoutError:
            reason = '"i/o timeout"'
        except OSError as error:
            reason = f'"{error.strerror or error}"'
        else:
            if rcode == Rcode.NOERROR:
                return
            reason = f'rcode was "{rcode_name(rcode)}"'
    raise NotifyError(reason)


class _Notify(asyncio.DatagramProtocol):
    """Sends one message and waits for its reply."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.rcode: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.DatagramTransport, transport).sendto(self._octets)

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        if len(data) < HEADER_SIZE or data[:2] != self._octets[:2] or self.rcode.done():
            return
        header = Header.decode(data)
        if header.flags & Flag.QR and header.opcode == Opcode.NOTIFY:
            self.rcode.set_result(header.rcode)

    def error_received(self, exc: Exception) -> None:
        if not self.rcode.done():
            self.rcode.set_exception(exc)


async def _asked(zone: bytes, host: str, port: int, source: str) -> int:
    header = Header(secrets.randbelow(1 << 16), Opcode.NOTIFY, 0, Flag.AA, 1, 0, 0, 0)
    octets = header.encode() + Question(zone, Type.SOA).encode()
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Notify(octets), remote_addr=(host, port), local_addr=(source, 0) if source else None
    )
    try:
        return await protocol.rcode
    finally:
        transport.close()


def notify_error(zone: bytes, to: str, error: NotifyError) -> str:
    """As CoreDNS words it."""
    return f'notify for zone "{names.to_text(zone)}" was not accepted by "{to}": {error}'
