"""A server takes over from another one on the same addresses, as at the upgrade of a DaemonSet, under load."""

import asyncio
import contextlib
import os
import struct
import time
from pathlib import Path

import dns.message
import pytest

from tests.chaos.cluster import ApiServer
from tests.chaos.load import LOST_S, PAUSE_S, Load, loading
from tests.chaos.server import Served
from tests.support.process import PATIENCE_S

#: Seconds in which both serve.
OVERLAP_S = 0.3
TIMES = int(os.environ.get("CHAOS_RELOADS", "3"))
#: TCP connections for one question each, at the same time.
SHORT_CONNECTIONS = 3


@pytest.mark.parametrize("workers", [0, 2])
def test_another_server_takes_over_under_load(api: ApiServer, tmp_path: Path, workers: int) -> None:
    """No question is lost or refused, and no connection is cut that was opened for a question; but for one that the
    kernel has just set up for the old server as that closes its socket: it is reset (docs/operations.md), and whoever
    asks again has the answer of the new one."""
    server = _another(tmp_path, api, workers, 0).__enter__().up()
    try:
        load = Load(api.cluster, server.port)
        short = _ShortConnections(server.port)
        with loading(api.background, load):
            asking = api.background.start(short.run())
            for _ in range(TIMES):
                successor = _another(tmp_path, api, workers, server.port).__enter__()
                old, server = server, successor
                server.up()
                time.sleep(OVERLAP_S)
                try:
                    assert old.stop() == 0
                finally:
                    old.__exit__(None, None, None)
            api.background.do(short.end)
            asking.result(LOST_S)
    finally:
        server.__exit__(None, None, None)
    assert load.udp.wrong + load.tcp.wrong == []
    assert load.udp.lost == load.udp.refused == load.tcp.lost == load.tcp.refused == 0, load
    assert short.failures == []
    assert short.resets <= TIMES
    assert short.answered > TIMES


def _another(folder: Path, api: ApiServer, workers: int, port: int) -> Served:
    """With a state of its own: two servers do not write one store. It waits for the cluster's objects for as long as a
    loaded machine takes: the other one answers meanwhile."""
    state = folder / f"state-{time.monotonic_ns()}"
    blocks = f"""
        .:PORT {{
            bind 127.0.0.1
            errors
            ready 127.0.0.1:HTTP
            kubernetes cluster.local {{
                endpoint {api.url}
                startup_timeout {PATIENCE_S:.0f}s
            }}
        }}
    """
    return Served(folder, "", "--share-ports", workers=workers, blocks=blocks, port=port, state=state)


class _ShortConnections:
    """Clients that open a TCP connection for each question."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ending = False
        self.answered = self.resets = 0
        self.failures: list[str] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(SHORT_CONNECTIONS):
                group.create_task(self._ask_on())

    def end(self) -> None:
        self._ending = True

    async def _ask_on(self) -> None:
        query = dns.message.make_query("stable-0.default.svc.cluster.local", "A").to_wire()
        while not self._ending:
            try:
                async with asyncio.timeout(LOST_S):
                    try:
                        await self._ask(query)
                    except ConnectionResetError:
                        self.resets += 1
                        await self._ask(query)
                self.answered += 1
                await asyncio.sleep(PAUSE_S)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                self.failures.append(repr(error))

    async def _ask(self, query: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(struct.pack("!H", len(query)) + query)
            await reader.readexactly(struct.unpack("!H", await reader.readexactly(2))[0])
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def test_without_the_flag_the_port_is_taken(api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as server:
        server.up()
        with Served(tmp_path, api.url, port=server.port, state=tmp_path / "second") as second:
            assert second.end() == 1
            assert "address already in use" in second.stderr


def test_an_address_that_is_not_there_yet(api: ApiServer, tmp_path: Path) -> None:
    """Whoever adds it later has a server on it at once."""
    lines = ("bind 192.0.2.1",)
    with Served(tmp_path, api.url, "--share-ports", lines=lines) as server:
        server.up()
        assert ".:" in server.stdout
        assert " on 192.0.2.1" in server.stdout
    with Served(tmp_path, api.url, lines=lines) as server:
        assert server.end() == 1
        assert "no interface of this host has that address" in server.stderr
