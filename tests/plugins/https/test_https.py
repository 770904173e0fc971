"""https: the limit of connections."""

import asyncio

import pytest

from dnsserver.plugins.https import setup
from tests.plugins.helpers import directive, refused, site
from tests.runtime.helpers import server_of
from tests.support.process import free_port
from tests.transports.clients import closed, soon, tcp_client
from tests.transports.test_doh import TEXT

GET = f"GET /dns-query?dns={TEXT} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("https", None),
        ("https {\n}", None),
        ("https {\nmax_connections 100\n}", 100),
        ("https {\nmax_connections 0\n}", 0),
    ],
)
def test_settings(text: str, most: int | None) -> None:
    assert setup(directive(text), site()).https_connections == most


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("https x", "2 - Error during parsing: Wrong argument count or unexpected line ending after 'x'"),
        (
            "https {\nmax_connections\n}",
            "3 - Error during parsing: Wrong argument count or unexpected line ending after 'max_connections'",
        ),
        (
            "https {\nmax_connections abc\n}",
            "3 - Error during parsing: invalid max_connections value 'abc': "
            'strconv.Atoi: parsing "abc": invalid syntax',
        ),
        (
            "https {\nmax_connections -1\n}",
            "3 - Error during parsing: max_connections must be a non-negative integer: -1",
        ),
        (
            "https {\nmax_connections 1\nmax_connections 2\n}",
            "4 - Error during parsing: max_connections already defined for this server block",
        ),
        ("https {\nmax_streams 1\n}", "3 - Error during parsing: unknown property 'max_streams'"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/https: Corefile:{error}"


async def status(reader: asyncio.StreamReader) -> bytes:
    line = await soon(reader.readuntil(b"max-age=0\r\n"))
    return line[:12]


async def test_the_server_closes_behind_the_last_request() -> None:
    """RFC 9112 section 9.6; some clients wait for that before they use the reply."""
    port = free_port()
    text = f"https://.:{port} {{\nbind 127.0.0.1\ntimeouts {{\nidle 1h\n}}\nwhoami\n}}"
    async with server_of(text), tcp_client("127.0.0.1", port) as (reader, writer):
        writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert (await soon(reader.read())).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("lines", "replaced"), [("https {\nmax_connections 1\n}", 1), ("", 0)])
async def test_one_more_takes_the_place_of_an_idle_one(lines: str, replaced: int) -> None:
    port = free_port()
    async with (
        server_of(f"https://.:{port} {{\nbind 127.0.0.1\n{lines}\nwhoami\n}}") as server,
        tcp_client("127.0.0.1", port) as (first, ask_first),
    ):
        ask_first.write(GET)
        assert await status(first) == b"HTTP/1.1 200"
        async with tcp_client("127.0.0.1", port) as (second, ask_second):
            ask_second.write(GET)
            assert await status(second) == b"HTTP/1.1 200"
            assert server.counters.tcp_replaced == replaced
            if replaced:
                await closed(first)
