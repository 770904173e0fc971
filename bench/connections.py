"""Queries with a TCP connection for each, as clients come after a truncated reply.

`python -m bench.connections PORT FILE SECONDS CLIENTS`: a process of its own, which has CLIENTS queries under way.
Prints {"completed": N, "lost": N, "seconds": S, "average_us": µs}; the average is from connecting to the whole reply.
"""

import asyncio
import itertools
import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.prober import read_queries
from bench.tools import LOST_S

#: Octets that one read takes at most: more than any DNS message.
READ_MAX = 1 << 17


class Clients:
    def __init__(self, port: int, queries: Iterator[bytes]) -> None:
        self._port = port
        self._queries = queries
        self.took: list[float] = []
        """Seconds, of the queries that were answered."""
        self.lost = 0

    async def run(self, seconds: float) -> None:
        """One query after the other."""
        end = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            try:
                async with asyncio.timeout(LOST_S):
                    await self._query(next(self._queries))
            except (TimeoutError, ConnectionError):
                self.lost += 1
            else:
                self.took.append(time.perf_counter() - begun)

    async def _query(self, message: bytes) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", self._port))
            await loop.sock_sendall(sock, len(message).to_bytes(2, "big") + message)
            received = b""
            while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
                more = await loop.sock_recv(sock, READ_MAX)
                if not more:
                    raise ConnectionResetError
                received += more


async def main() -> None:
    port, file, seconds, number_of = int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    clients = Clients(port, itertools.cycle(read_queries(file)))
    begun = time.perf_counter()
    await asyncio.gather(*(clients.run(seconds) for _ in range(number_of)))
    print(
        json.dumps(
            {
                "completed": len(clients.took),
                "lost": clients.lost,
                "seconds": time.perf_counter() - begun,
                "average_us": 1e6 * sum(clients.took) / max(1, len(clients.took)),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
