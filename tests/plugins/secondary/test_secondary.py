"""Plugin `secondary` on real sockets: our own server and Knot DNS as primaries, and those that send nonsense."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import pytest

from dnsserver.config import parse
from dnsserver.plugins.addresses import Address
from dnsserver.plugins.secondary import setup
from dnsserver.plugins.secondary.copies import ZoneFileCopy
from dnsserver.plugins.secondary.following import LOOK_S, ZoneFollower
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.surroundings import Surroundings
from dnsserver.wire import names
from tests.plugins.helpers import refused
from tests.runtime.helpers import PATIENCE_S, ask, data, eventually, rcode, server_of
from tests.support.process import free_port

ZONE = "$TTL 300\n@ SOA ns host {serial} {times} 60\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.{last}\n"
CALM = "3600 600 86400"
COUNT = "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after"


def write(folder: Path, serial: int = 1, last: int = 1, times: str = CALM) -> None:
    fresh = folder / "fresh"
    fresh.write_text(ZONE.format(serial=serial, last=last, times=times))
    fresh.rename(folder / "db")


def primary(folder: Path, port: int, to: str = "to *") -> ClusterDnsServer:
    file = "file db {\n reload 50ms\n }"
    text = f"example.org:{port} {{\n bind 127.0.0.1\n {file}\n transfer {{\n {to}\n }}\n}}\n"
    return server_of(text, folder)


def secondary(port: int, *options: str, behind: str = "", folder: Path | None = None) -> ClusterDnsServer:
    lines = "\n".join((f"transfer from 127.0.0.1:{port}", *options))
    text = f"example.org:0 {{\n bind 127.0.0.1\n secondary {{\n{lines}\n}}\n{behind}\n}}\n"
    corefile = parse(text, file="Corefile", directory=Path(), directives=ORDER, environ={})
    if folder is None:
        return ClusterDnsServer(corefile, Path())
    folder.mkdir(exist_ok=True)
    return ClusterDnsServer(corefile, Path(), surroundings=Surroundings(folder=lambda: folder))


async def answers(server: ClusterDnsServer, name: str = "www.example.org.") -> tuple[str, list[str]]:
    reply = await ask(server.endpoints[0][1], name)
    return rcode(reply), data(reply)


async def test_transfers_and_serves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    write(tmp_path)
    port = free_port()

    async def warned() -> bool:
        failed = "All 'example.org.' masters failed to transfer, retrying in 250ms: "
        return any(text.startswith(failed) for text in caplog.messages)

    async with secondary(port) as own:
        assert await answers(own) == ("SERVFAIL", [])
        await eventually(warned, True)
        async with primary(tmp_path, port):
            await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))
        assert await answers(own, "nope.example.org.") == ("NXDOMAIN", [])
    assert f"Transferred: example.org. from 127.0.0.1:{port}" in caplog.messages


async def test_the_second_primary_is_asked(tmp_path: Path) -> None:
    write(tmp_path)
    port = free_port()
    async with primary(tmp_path, port), secondary(free_port(), f"transfer from 127.0.0.1:{port}") as own:
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))


async def test_notify_brings_the_new_zone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    write(tmp_path)
    port = free_port()
    async with secondary(port) as own, primary(tmp_path, port, f"to 127.0.0.1:{own.endpoints[0][1]}"):
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))
        write(tmp_path, 2, 2)
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.2"]))
    assert "Notify from 127.0.0.1 for example.org.: checking transfer" in caplog.messages


async def test_notify_of_others_is_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    message = dns.message.make_query("example.org.", "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    async with secondary(free_port()) as own:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind(("127.0.0.2", 0))
            loop = asyncio.get_running_loop()
            await loop.sock_sendto(sock, message.to_wire(), ("127.0.0.1", own.endpoints[0][1]))
            await loop.sock_sendto(
                sock,
                dns.message.make_query("example.org.", "A").to_wire(),
                ("127.0.0.1", own.endpoints[0][1]),
            )
            reply = dns.message.from_wire(await asyncio.wait_for(loop.sock_recv(sock, 512), PATIENCE_S))
            assert reply.opcode() == dns.opcode.QUERY
    assert "Dropping notify from 127.0.0.2 for example.org." in caplog.messages


async def test_a_flood_of_notify_is_none_for_the_primary(tmp_path: Path) -> None:
    """Anybody can send NOTIFY in its name."""
    asked = 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        copy = ZoneFileCopy(tmp_path, names.from_text("example.org."), (address,))
        following = asyncio.create_task(ZoneFollower(copy).run())
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (passed := loop.time() - begun) < 1.0:
            copy.mark()
            await asyncio.sleep(0.005)
        following.cancel()
        await asyncio.wait([following])
    assert asked <= passed / LOOK_S + 2


async def test_refresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NOTIFY: after the seconds that the SOA record says."""
    monkeypatch.setattr("dnsserver.plugins.secondary.following.REFRESH_JITTER_S", 0.1)
    write(tmp_path, times="1 1 3600")
    port = free_port()
    async with primary(tmp_path, port), secondary(port) as own:
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))
        write(tmp_path, 2, 2)
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.2"]))


async def test_expires_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dnsserver.plugins.secondary.following.RETRY_JITTER_S", 0.1)
    monkeypatch.setattr("dnsserver.plugins.secondary.following.REFRESH_JITTER_S", 0.1)
    write(tmp_path, times="3600 1 1")
    port = free_port()
    async with secondary(port) as own:
        async with primary(tmp_path, port):
            await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))
        await eventually(lambda: answers(own), ("SERVFAIL", []))
    assert "Zone example.org. is expired" in caplog.messages


async def test_is_there_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    write(tmp_path)
    port = free_port()
    async with primary(tmp_path, port), secondary(port, folder=folder) as own:
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))
    async with secondary(port, folder=folder) as own:  # nobody is there to ask
        assert await answers(own) == ("NOERROR", ["A 192.0.2.1"])
    async with secondary(free_port(), folder=folder) as own:  # of another primary it is another zone
        assert await answers(own) == ("SERVFAIL", [])
    for path in folder.glob("*.zone"):
        path.write_bytes(path.read_bytes()[:-7])
    async with secondary(port, folder=folder) as own:
        assert await answers(own) == ("SERVFAIL", [])
    old = time.time() - 86_400 - 60
    write(tmp_path)
    async with primary(tmp_path, port), secondary(port, folder=folder) as own:
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))
    for path in folder.glob("*.confirmed"):
        os.utime(path, (old, old))
    async with secondary(port, folder=folder) as own:
        assert await answers(own) == ("SERVFAIL", [])


async def test_fallthrough(tmp_path: Path) -> None:
    write(tmp_path)
    port = free_port()
    async with primary(tmp_path, port), secondary(port, "fallthrough", behind="whoami") as own:
        await eventually(lambda: answers(own), ("NOERROR", ["A 192.0.2.1"]))
        assert await answers(own, "nope.example.org.") == ("NOERROR", [])


async def test_gives_the_zone_on(tmp_path: Path) -> None:
    write(tmp_path)
    port = free_port()
    async with (
        primary(tmp_path, port),
        secondary(port, behind="transfer {\n to *\n }") as own,
        secondary(own.endpoints[0][1]) as third,
    ):
        await eventually(lambda: answers(third), ("NOERROR", ["A 192.0.2.1"]))


@contextlib.asynccontextmanager
async def saying(answer: bytes, *, close: bool = True) -> AsyncIterator[int]:
    """A primary that answers every question over TCP with these octets, the question's ID in front."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            size = int.from_bytes(await reader.readexactly(2), "big")
            query = await reader.readexactly(size)
            message = query[:2] + answer
            writer.write(len(message).to_bytes(2, "big") + message)
            if close:
                writer.write_eof()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def response(*records: str, code: int = 0) -> bytes:
    message = dns.message.make_response(dns.message.make_query("example.org.", "AXFR"))
    message.set_rcode(dns.rcode.from_text(dns.rcode.to_text(dns.rcode.Rcode(code))))
    for text in records:
        name, rtype, rest = text.split(None, 2)
        message.answer.append(dns.rrset.from_text(name, 5, "IN", rtype, rest))
    return message.to_wire()[2:]


SOA = "example.org. SOA a. b. 1 3600 600 86400 60"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"\x84\0\0\1\0\1\0\0\0\0rubbish", "bad message: "),
        (response(code=5), "bad xfr rcode: REFUSED"),
        (response(), "no records of example.org."),
        (response("www.example.org. A 192.0.2.1"), "the first record is not the zone's SOA record"),
        (response(SOA, "www.example.org. A 192.0.2.1"), "the other side has closed the connection"),
    ],
)
async def test_nonsense_is_no_zone(answer: bytes, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    async with saying(answer) as port, secondary(port) as own:
        wanted = f'Failed to transfer `example.org.\' from "127.0.0.1:{port}": {reason}'

        async def logged() -> bool:
            return any(text.startswith(wanted) for text in caplog.messages)

        await eventually(logged, True)
        assert await answers(own) == ("SERVFAIL", [])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("secondary", "Corefile:2 - Error during parsing: secondary zones require a transfer from property"),
        ("secondary {\ntransfer\n}", f"{COUNT} 'transfer'"),
        ("secondary {\ntransfer to 192.0.2.1\n}", "Corefile:3 - Error during parsing: unknown property to"),
        ("secondary {\ntransfer from\n}", f"{COUNT} 'from'"),
        ("secondary {\ntransfer from *\n}", "can't use '*' in transfer from (Corefile:3)"),
        ("secondary {\ntransfer from a.test\n}", "must specify an IP address: `a.test' (Corefile:3)"),
        ("secondary {\nnope\n}", "Corefile:3 - Error during parsing: unknown property 'nope'"),
        (
            "secondary {\ntransfer from 192.0.2.1\ncatalog\n}",
            "Corefile:4 - Error during parsing: catalog zones are not supported: name each zone in a secondary line",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/secondary: {error}"
