"""Listening sockets that one listener of probes hands over to the next: every request is answered by one of them."""

import asyncio
import socket

import pytest

from dnsserver.observability.http import HttpListener
from tests.observability.test_http import PATIENCE_S, ROUTES, parts

REQUEST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#: Turns of the event loop from a connection that waits in the kernel to one with a task of its own, and some more.
ROUNDS = 10


@pytest.mark.parametrize("rounds", range(ROUNDS))
async def test_a_connection_that_is_being_accepted(rounds: int) -> None:
    """Whatever turn of the event loop it has come to: asked before the old listener ends, it is answered."""
    with socket.create_server(("127.0.0.1", 0)) as sock, socket.socket() as client:
        client.settimeout(PATIENCE_S)
        async with HttpListener("127.0.0.1", 0, ROUTES, sockets=[sock.dup()]) as old:
            client.connect(sock.getsockname())
            for _ in range(rounds):
                await asyncio.sleep(0)
            closing = asyncio.create_task(old.close(handed_over=True))
            await asyncio.sleep(0)
            async with HttpListener("127.0.0.1", 0, ROUTES, sockets=[sock.dup()]):
                client.sendall(REQUEST)
                assert parts(await asyncio.to_thread(client.recv, 4096))[0] == 200
                await closing
