"""The HTTP listener of probes, asked with raw octets."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import urlopen

import pytest

from dnsserver.observability.http import HttpAnswer, HttpLimits, HttpListener
from dnsserver.observability.http_sockets import HttpListenError

PATIENCE_S = 5.0
QUICK = HttpLimits(request_s=0.1, write_s=0.1, idle_s=0.1)


def healthy() -> HttpAnswer:
    return HttpAnswer.text(200, "OK")


def waiting() -> HttpAnswer:
    return HttpAnswer.text(503, "kubernetes")


def broken() -> HttpAnswer:
    raise RuntimeError("broken")


def large() -> HttpAnswer:
    return HttpAnswer(200, bytes(20_000_000), "application/octet-stream")


ROUTES = {"/health": healthy, "/ready": waiting, "/broken": broken, "/large": large}


@asynccontextmanager
async def listening(host: str = "127.0.0.1", limits: HttpLimits | None = None) -> AsyncIterator[HttpListener]:
    async with HttpListener(host, 0, ROUTES, limits=limits or HttpLimits()) as listener:
        yield listener


async def talk(listener: HttpListener, octets: bytes, host: str = "127.0.0.1", *, end: bool = True) -> bytes:
    """Send *octets*, end, and read all that comes back."""
    reader, writer = await asyncio.open_connection(host, listener.port)
    try:
        writer.write(octets)
        if end:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except OSError:  # reset, or gone before we said that we had ended
        return b""
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def parts(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return int(status.split()[1]), {name.lower(): value for name, _, value in fields}, body


ANSWERS = (
    ("GET /health", 200, b"OK"),
    ("GET /health?verbose=1", 200, b"OK"),
    ("GET http://10.0.0.1:8080/health", 200, b"OK"),
    ("POST /health", 200, b"OK"),
    ("DELETE /health", 200, b"OK"),
    ("HEAD /health", 200, b""),
    ("GET /ready", 503, b"kubernetes"),
    ("GET /", 404, b"404 page not found\n"),
    ("GET /health/", 404, b"404 page not found\n"),
    ("OPTIONS *", 404, b"404 page not found\n"),
    ("GET /broken", 500, b"500 internal server error\n"),
)


@pytest.mark.parametrize(("line", "status", "body"), ANSWERS, ids=[line for line, _, _ in ANSWERS])
async def test_answers(line: str, status: int, body: bytes) -> None:
    async with listening() as listener:
        got = parts(await talk(listener, f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode()))
        assert (got[0], got[2]) == (status, body)
        assert got[1]["content-type"] == "text/plain; charset=utf-8"
        assert got[1]["content-length"] == str(len(body) or 2)
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", got[1]["date"])


async def test_a_standard_client() -> None:
    def fetch(port: int) -> tuple[int, bytes]:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()

    async with listening() as listener:
        assert await asyncio.to_thread(fetch, listener.port) == (200, b"OK")


async def test_a_connection_is_kept_and_requests_may_be_pipelined() -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    async with listening() as listener:
        assert (await talk(listener, request * 3)).count(b"HTTP/1.1 200 OK\r\n") == 3


async def test_octet_by_octet() -> None:
    async with listening() as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for octet in b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n":
            writer.write(bytes((octet,)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert await reader.readexactly(2) == b"OK"
        writer.transport.abort()


async def test_http_1_0_is_answered_and_closed() -> None:
    async with listening() as listener:
        got = parts(await talk(listener, b"GET /health HTTP/1.0\r\n\r\n", end=False))
        assert (got[0], got[2]) == (200, b"OK")


BODIES = {
    "length": b"Content-Length: 5\r\n\r\nhello",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_is_read_and_ignored(body: bytes) -> None:
    request = b"POST /health HTTP/1.1\r\nHost: x\r\n"
    async with listening() as listener:
        got = await talk(listener, (request + body) * 2)
        assert got.count(b"HTTP/1.1 200 OK\r\n") == 2


async def test_a_client_that_waits_for_100_is_let_go_on() -> None:
    async with listening() as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).startswith(
            b"HTTP/1.1 100 "
        )
        writer.write(b"hi")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).startswith(
            b"HTTP/1.1 200 "
        )
        writer.transport.abort()


async def test_a_body_that_is_too_long() -> None:
    async with listening() as listener:
        head = b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        got = parts(await talk(listener, head + bytes(100_000)))
        assert (got[0], got[1]["connection"]) == (413, "close")


BAD = {
    "no http": b"hello there\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "a DNS question": bytes(30),
    "two lengths": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "control octets": b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "cut": b"GET /health HTT",
}


@pytest.mark.parametrize("octets", BAD.values(), ids=BAD.keys())
async def test_bad_requests(octets: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as listener:
        got = parts(await talk(listener, octets))
        assert (got[0], got[2]) == (400, b"400 Bad Request")
        assert got[1]["connection"] == "close"
        assert parts(await talk(listener, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
    assert caplog.records == []


async def test_headers_without_end() -> None:
    async with listening() as listener:
        got = parts(await talk(listener, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000))
        assert got[0] == 431


SLOW = {
    "nothing": b"",
    "half a request": b"GET /health",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
}


@pytest.mark.parametrize("octets", SLOW.values(), ids=SLOW.keys())
async def test_slow_clients_are_cut(octets: bytes) -> None:
    async with listening(limits=QUICK) as listener:
        assert await talk(listener, octets, end=False) == b""
        await _until_free(listener)


async def test_a_client_that_does_not_read_is_cut() -> None:
    async with listening(limits=QUICK) as listener:
        with socket.create_connection(("127.0.0.1", listener.port)) as client:
            client.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.sleep(0.02)
            assert "connections=1" in repr(listener)
            await _until_free(listener)


async def test_idle_connections_are_cut() -> None:
    async with listening(limits=QUICK) as listener:
        got = await talk(listener, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", end=False)
        assert parts(got)[0] == 200


async def test_connections_are_bounded() -> None:
    async with listening(limits=HttpLimits(connections=2)) as listener:
        kept = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        await asyncio.sleep(0.02)
        assert await talk(listener, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        for _, writer in kept:
            writer.transport.abort()
        await _until_free(listener)
        assert parts(await talk(listener, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200


async def _until_free(listener: HttpListener) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while "connections=0" not in repr(listener):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("host", "asked"), [("", "127.0.0.1"), ("", "::1"), ("localhost", "127.0.0.1"), ("::1", "::1")]
)
async def test_hosts(host: str, asked: str) -> None:
    async with listening(host) as listener:
        got = await talk(listener, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", asked)
        assert parts(got)[0] == 200


async def test_closing_cuts_connections_and_frees_the_port() -> None:
    async with listening() as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        await asyncio.sleep(0.01)
        await listener.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", listener.port)
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.transport.abort()
        again = HttpListener("127.0.0.1", listener.port, ROUTES)
        await again.start()
        await again.close()


async def test_a_port_in_use() -> None:
    async with listening() as other:
        with pytest.raises(HttpListenError, match="address already in use"):
            await HttpListener("127.0.0.1", other.port, ROUTES).start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HttpListenError) as caught:
            await HttpListener("127.0.0.1", port, ROUTES).start()
        assert str(caught.value) == f"listen tcp 127.0.0.1:{port}: bind: address already in use"
        with pytest.raises(HttpListenError, match=f"^listen tcp :{port}: bind: address already in use$"):
            await HttpListener("", port, ROUTES).start()


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 80), ("127.0.0.1", 70_000)])
async def test_what_cannot_be_bound(host: str, port: int) -> None:
    with pytest.raises(HttpListenError, match=f"^listen tcp {host}:{port}: "):
        await HttpListener(host, port, ROUTES).start()


async def test_a_route_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        async with listening() as listener:
            await talk(listener, b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
    assert any("/broken failed" in line for line in caplog.messages)


async def test_a_cancelled_owner_closes_all() -> None:
    async def owner(ports: asyncio.Queue[int]) -> None:
        async with listening() as listener:
            ports.put_nowait(listener.port)
            await asyncio.Event().wait()

    ports: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(owner(ports))
    port = await asyncio.wait_for(ports.get(), PATIENCE_S)
    task.cancel()
    await asyncio.wait([task])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
