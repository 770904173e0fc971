"""Servers in the test's own process, and clients of their DNS and HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.edns
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from dnsserver.config import parse
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.server import ClusterDnsServer

#: Seconds. What takes longer does not come.
PATIENCE_S = 10.0


def server_of(text: str, directory: Path | None = None) -> ClusterDnsServer:
    """The server of this Corefile; entering starts it."""
    folder = directory or Path()
    corefile = parse(text, file="Corefile", directory=folder, directives=ORDER, environ={})
    return ClusterDnsServer(corefile, folder)


async def ask(
    port: int,
    name: str,
    rtype: str = "A",
    *,
    host: str = "127.0.0.1",
    tcp: bool = False,
    rclass: str = "IN",
    edns: bool = False,
) -> dns.message.Message:
    """One question, and its reply."""
    query = dns.message.make_query(name, rtype, rclass, use_edns=0 if edns else False)
    exchange = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await exchange(query, host, timeout=PATIENCE_S, port=port)


def rcode(reply: dns.message.Message) -> str:
    return dns.rcode.to_text(reply.rcode())


def data(reply: dns.message.Message) -> list[str]:
    """The answer section's records as `TYPE data`, in their order."""
    return [
        f"{dns.rdatatype.to_text(item.rdtype)} {item.to_text()}" for rrset in reply.answer for item in rrset
    ]


def extended_errors(reply: dns.message.Message) -> list[tuple[int, str]]:
    """INFO-CODE and EXTRA-TEXT of each Extended DNS Error (RFC 8914)."""
    return [
        (int(item.code), item.text or "") for item in reply.options if isinstance(item, dns.edns.EDEOption)
    ]


async def get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    """Status and body by HTTP; 0 when nobody listens."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return 0, ""
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await asyncio.wait_for(reader.read(), PATIENCE_S)).partition(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    return int(head.split()[1]), body.decode()


async def eventually(found: Any, wanted: Any) -> float:
    """Call the coroutine function *found* until it gives *wanted*; the seconds that took."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while (now := await found()) != wanted:
        assert loop.time() - begun < PATIENCE_S, f"{now!r}, never {wanted!r}"
        await asyncio.sleep(0.01)
    return loop.time() - begun
