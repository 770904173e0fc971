"""Ten thousand clients at once, and no files left."""

import asyncio
import gc
import resource
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from dnsserver.transports.binding import bind_all
from dnsserver.transports.files import exchanges_max
from dnsserver.transports.limits import TransportCounters, TransportLimits
from dnsserver.transports.pool import ConnectionPool
from dnsserver.transports.tcp import TcpListener
from tests.transports.clients import ask, closed, echo, open_files, query, soon, tcp_client, until

CONNECTIONS = 10_000
#: Octets of Python memory per idle connection, measured 3,400 with Python 3.11; kernel memory comes on top.
CONNECTION_OCTETS = 10_000
#: Seconds. Two cores connect and accept some 5,000 a second.
CONNECT_S = 25.0

#: Opens connections from as many addresses, says how many, waits for the end of its input.
CLIENT = """
import resource, socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
sockets = []
for number in range(count):
    sock = socket.socket()
    sock.bind((f"127.1.{number // 200}.{number % 200 + 1}", 0))
    sock.connect(("127.0.0.1", port))
    sockets.append(sock)
print(len(sockets), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file_limit() -> Iterator[int]:
    """The limit of open files, as high as it may go; set back at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_ten_thousand_connections(file_limit: int) -> None:
    count = min(CONNECTIONS, file_limit - 500)
    limits = TransportLimits(tcp_first_read_s=60, tcp_connections=count + 1, upstream_exchanges=0)
    (sock,) = bind_all([("127.0.0.1", 0)], protocols=("tcp",)).tcp
    async with TcpListener(sock, echo, limits=limits) as listener:
        gc.collect()
        files = open_files()
        tracemalloc.start()
        try:
            client = await asyncio.create_subprocess_exec(
                sys.executable, "-c", CLIENT, str(listener.port), str(count),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert client.stdin is not None
            assert client.stdout is not None
            line = await asyncio.wait_for(client.stdout.readline(), CONNECT_S)
            assert int(line) == count
            await until(lambda: listener.counters.tcp_connections_now == count, CONNECT_S)
            used = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert used / count < CONNECTION_OCTETS
        assert open_files() >= files + count
        started = asyncio.get_running_loop().time()
        async with tcp_client("127.0.0.1", listener.port) as streams:
            assert await ask(streams, query()) == query()
        assert asyncio.get_running_loop().time() - started < 1.0
        client.stdin.close()
        await soon(client.wait())
        await until(lambda: listener.counters.tcp_connections_now == 0, CONNECT_S)
        await until(lambda: open_files() < files + 16)  # the event loop may keep some for subprocesses
        assert repr(listener).endswith("connections=0>")


async def test_no_files_left(file_limit: int, caplog: pytest.LogCaptureFixture) -> None:
    """accept() fails: the server rests, gives up an idle connection, and serves again."""
    limits = TransportLimits(accept_pause_s=0.02)
    (sock,) = bind_all([("127.0.0.1", 0)], protocols=("tcp",)).tcp
    async with TcpListener(sock, echo, limits=limits) as listener:
        async with tcp_client("127.0.0.1", listener.port) as idle:
            await ask(idle, query())
            waiting = [asyncio.create_task(_ask_when_connected(listener.port)) for _ in range(3)]
            resource.setrlimit(resource.RLIMIT_NOFILE, (open_files() + 2, file_limit))
            try:
                await until(lambda: listener.counters.tcp_accept_errors >= 1)
                errors = listener.counters.tcp_accept_errors
                await asyncio.sleep(0.1)
                assert listener.counters.tcp_accept_errors - errors <= 6  # it rests in between
                assert await closed(idle[0]) == b""
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (file_limit, file_limit))
            assert await soon(asyncio.gather(*waiting)) == [query(2)] * 3
        assert listener.counters.tcp_replaced >= 1
    assert any("cannot accept" in line for line in caplog.messages)


async def _ask_when_connected(port: int) -> bytes:
    async with tcp_client("127.0.0.1", port) as streams:
        return await ask(streams, query(2))


@pytest.mark.parametrize(
    ("files", "spare", "connections", "exchanges"),
    [(200, 120, 60, 20), (1024, 64, 720, 240), (20_000, 64, 10_000, 2048), (100, 150, 16, 16)],
)
async def test_the_limit_of_files_bounds_connections_and_exchanges(
    files: int, spare: int, connections: int, exchanges: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    limits = TransportLimits(spare_files=spare)
    assert ConnectionPool(limits, TransportCounters()).capacity == connections
    assert exchanges_max(limits) == exchanges
