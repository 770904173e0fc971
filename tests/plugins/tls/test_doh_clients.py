"""DNS over HTTPS by real sockets: clients that are slow, idle, greedy, or there when the server ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hyperframe.frame import DataFrame, Frame, GoAwayFrame

from dnsserver.runtime.server import ClusterDnsServer
from tests.runtime.helpers import server_of
from tests.support.process import free_port
from tests.transports.clients import Streams, closed, soon, tcp_client
from tests.transports.test_http import GET, H2_GET

#: Seconds. Much longer than what the tests below set.
LONG = "24h"


@asynccontextmanager
async def serving(**times: str) -> AsyncIterator[tuple[ClusterDnsServer, int]]:
    """By HTTP without TLS: what is said there is the same."""
    port = free_port()
    lines = "\n".join(f"{name} {times.get(name, LONG)}" for name in ("read", "write", "idle"))
    text = f"https://.:{port} {{\nbind 127.0.0.1\ntimeouts {{\n{lines}\n}}\nwhoami\n}}"
    async with server_of(text) as server:
        yield server, port


class Http2Client:
    def __init__(self, streams: Streams, window: int = 65_535) -> None:
        self.reader, self.writer = streams
        self.http = h2.connection.H2Connection(h2.config.H2Configuration())
        self.http.initiate_connection()
        self.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.events: list[h2.events.Event] = []

    def ask(self) -> int:
        stream = self.http.get_next_available_stream_id()
        self.http.send_headers(stream, H2_GET, end_stream=True)
        self.send()
        return stream

    def send(self) -> None:
        self.writer.write(self.http.data_to_send())

    async def receive(self, kind: type[h2.events.Event]) -> None:
        """Until there is an event of *kind*."""
        while not any(isinstance(event, kind) for event in self.events):
            data = await soon(self.reader.read(65_536))
            assert data, f"closed before {kind.__name__}: {self.events}"
            self.events += self.http.receive_data(data)
            self.send()


async def lasts(reader: asyncio.StreamReader, begun: float) -> float:
    """Seconds from *begun* until the server has closed."""
    await closed(reader)
    return asyncio.get_running_loop().time() - begun


@pytest.mark.parametrize(
    "octets", [b"", GET[:20], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", GET.replace(b"GET", b"POST")[:-4]], ids=str
)
async def test_a_request_that_does_not_come_to_its_end(octets: bytes) -> None:
    async with serving(read="1s") as (server, port), tcp_client("127.0.0.1", port) as (reader, writer):
        begun = asyncio.get_running_loop().time()
        writer.write(octets)
        assert 0.8 < await lasts(reader, begun) < 4
        assert server.counters.tcp_slow == 1


async def test_a_head_that_trickles() -> None:
    async with serving(read="1s") as (server, port), tcp_client("127.0.0.1", port) as (reader, writer):
        begun = asyncio.get_running_loop().time()
        writer.write(GET[:-2])
        while not server.counters.tcp_slow and asyncio.get_running_loop().time() - begun < 4:
            writer.write(b"a: b\r\n")
            await asyncio.sleep(0.05)
        assert 0.8 < await lasts(reader, begun) < 4


async def test_an_idle_client_of_http1() -> None:
    async with serving(idle="1s") as (server, port), tcp_client("127.0.0.1", port) as (reader, writer):
        writer.write(GET)
        await soon(reader.readuntil(b"max-age=0\r\n"))
        assert 0.8 < await lasts(reader, asyncio.get_running_loop().time()) < 4
        assert server.counters.tcp_idle == 1


async def test_pings_do_not_keep_a_connection() -> None:
    async with serving(idle="1s") as (server, port), tcp_client("127.0.0.1", port) as streams:
        client = Http2Client(streams)
        client.ask()
        await client.receive(h2.events.StreamEnded)
        begun = asyncio.get_running_loop().time()
        while not server.counters.tcp_idle and asyncio.get_running_loop().time() - begun < 5:
            client.http.ping(b"are we ?")
            client.send()
            await asyncio.sleep(0.05)
        assert 0.8 < asyncio.get_running_loop().time() - begun < 4
        await client.receive(h2.events.ConnectionTerminated)


async def test_a_client_that_makes_no_room_for_its_replies_is_cut() -> None:
    async with serving(write="1s") as (server, port), tcp_client("127.0.0.1", port) as streams:
        client = Http2Client(streams, window=0)
        begun = asyncio.get_running_loop().time()
        client.ask()
        assert 0.8 < await lasts(client.reader, begun) < 4
        assert server.counters.tcp_unread == 1


async def test_hundreds_of_idle_clients() -> None:
    async with serving() as (server, port), tcp_client("127.0.0.1", port) as last:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
        for number, streams in enumerate(opened):
            if number % 2:
                client = Http2Client(streams)
                client.ask()
                await client.receive(h2.events.StreamEnded)
            else:
                streams[1].write(GET)
                await soon(streams[0].readuntil(b"max-age=0\r\n"))
        assert server.counters.tcp_connections_now == 301
        last[1].write(GET)
        await soon(last[0].readuntil(b"max-age=0\r\n"))
        for _, writer in opened:
            writer.transport.abort()


async def test_the_end_says_goodbye() -> None:
    async with serving() as (_, port):
        streams = await asyncio.open_connection("127.0.0.1", port)
        client = Http2Client(streams)
        client.ask()
        await client.receive(h2.events.StreamEnded)
        client.events.clear()
        client.ask()
    # The client's library takes nothing after GOAWAY; answers to what was asked before may come (RFC 9113 section 6.8).
    frames = frames_of(await closed(client.reader))
    client.writer.transport.abort()
    assert any(isinstance(frame, GoAwayFrame) and frame.last_stream_id == 3 for frame in frames)
    (data,) = [frame for frame in frames if isinstance(frame, DataFrame)]
    assert data.stream_id == 3
    assert "END_STREAM" in data.flags


def frames_of(octets: bytes) -> list[Frame]:
    found = []
    while octets:
        frame, size = Frame.parse_frame_header(memoryview(octets[:9]))
        frame.parse_body(memoryview(octets[9 : 9 + size]))
        found.append(frame)
        octets = octets[9 + size :]
    return found
