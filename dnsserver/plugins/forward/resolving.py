"""Upstreams that are host names: their addresses, when the server starts."""

import asyncio
import contextlib
import ipaddress
import random
import socket
from collections.abc import AsyncIterator, Sequence

from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.addresses import Address
from dnsserver.plugins.forward.addresses import HostName
from dnsserver.plugins.forward.settings import ForwardSettings
from dnsserver.plugins.forward.upstreams import Upstreams
from dnsserver.transports.tasks import TaskHome
from dnsserver.transports.upstream.peer import Accept, ExchangeError, Peer
from dnsserver.transports.upstream.udp import UdpQuestions
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question

_log = plugin_logger("forward")

#: Seconds. One resolver's time for one question; CoreDNS's.
RESOLVER_S = 2.0
#: Seconds. How long the start waits for the first attempt: queries would only get SERVFAIL before.
START_S = 5.0
#: Seconds. The first pause before it is tried again, and the longest; each is twice the one before.
PAUSE_MIN_S, PAUSE_MAX_S = 0.5, 30.0


class NotFoundError(Exception):
    """A host name has no addresses: `failed to resolve "dns.test": no addresses found for "dns.test"`."""


@contextlib.asynccontextmanager
async def resolved(settings: ForwardSettings, upstreams: Upstreams) -> AsyncIterator[None]:
    """Look host names up until each has been found once, the first time before this is entered."""
    wanted = [to for to in settings.upstreams if isinstance(to, HostName)]
    if not wanted:
        yield
        return
    home = TaskHome("forward host names")
    await home.open()
    tried = asyncio.Event()
    try:
        home.spawn(_resolve(wanted, settings, upstreams, tried), f"resolve {' '.join(map(str, wanted))}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await tried.wait()
        yield
    finally:
        await home.close()


async def _resolve(
    wanted: list[HostName], settings: ForwardSettings, upstreams: Upstreams, tried: asyncio.Event
) -> None:
    pause_s = PAUSE_MIN_S
    while True:
        wanted = [name for name in wanted if not await _found(name, settings, upstreams)]
        tried.set()
        if not wanted:
            return
        await asyncio.sleep(pause_s * random.uniform(0.75, 1.0))
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


async def _found(name: HostName, settings: ForwardSettings, upstreams: Upstreams) -> bool:
    try:
        hosts = await addresses_of(name.name, settings.resolvers, settings.source_address)
    except NotFoundError as error:
        upstreams.trouble = str(error)
        _log.error("%s", error)
        return False
    upstreams.found(name, [name.at(host) for host in hosts])
    return True


async def addresses_of(name: str, resolvers: Sequence[Address], source: str = "") -> list[str]:
    """The addresses of *name*, by the first of *resolvers* that has any, or else as this host finds them.

    Raises NotFoundError.
    """
    failure = f'failed to resolve "{name}": '
    if not resolvers:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise NotFoundError(f"{failure}lookup {name}: {error}") from None
        return list(dict.fromkeys(str(address[0]) for *_, address in found))
    last = ""
    for resolver in resolvers:
        hosts: list[str] = []
        for rtype in (Type.A, Type.AAAA):
            try:
                hosts += await _asked(Peer(resolver.host, resolver.port, source), name, rtype)
            except (ExchangeError, WireError) as error:
                last = f": {error}"
                break
        if hosts:
            return hosts
    raise NotFoundError(f'{failure}no addresses found for "{name}"{last}')


async def _asked(resolver: Peer, name: str, rtype: Type) -> list[str]:
    """The addresses of one type. Raises ExchangeError, WireError."""
    question = Question(names.from_text(name), rtype)
    octets = Header(0, flags=Flag.RD, questions=1).encode() + question.encode()
    questions = UdpQuestions(resolver)
    try:
        reply = Message.decode(await questions.ask(octets, _replies_to(question), RESOLVER_S))
    finally:
        questions.close()
    return [str(ipaddress.ip_address(record.rdata.head)) for record in reply.answer if record.rtype == rtype]


def _replies_to(question: Question) -> Accept:
    wanted = question.encode().lower()

    def accept(reply: bytes) -> bool:
        end = HEADER_SIZE + len(wanted)
        return len(reply) >= end and bool(reply[2] & 0x80) and reply[HEADER_SIZE:end].lower() == wanted

    return accept
