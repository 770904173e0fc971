"""A few questions a second next to a load, for the percentiles of latency.

`python -m bench.prober PORT FILE SECONDS RATE`: a process of its own. The kernel's time stamp of arrival ends the
interval, so it does not matter when the scheduler lets this process read the reply. Prints {"lost": N, "latencies":
[microseconds, ...]}.
"""

import json
import socket
import sys
import time
from pathlib import Path

#: Seconds. Until the load next to it has begun, and for the last replies.
LEAD_S, TAIL_S = 0.4, 0.3
#: Linux, asm-generic/socket.h: time stamps of arrival, as struct timespec.
SO_TIMESTAMPNS = 35


def read_queries(path: Path) -> list[bytes]:
    """Messages, each after its length."""
    octets, at, found = path.read_bytes(), 0, []
    while at < len(octets):
        size = int.from_bytes(octets[at : at + 2], "big")
        found.append(octets[at + 2 : at + 2 + size])
        at += 2 + size
    return found


class Prober:
    def __init__(self, port: int, queries: list[bytes]) -> None:
        self._queries = queries
        self._sent: dict[int, int] = {}
        self.asked = 0
        self.latencies: list[float] = []
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.connect(("127.0.0.1", port))
        self._sock.setblocking(False)

    @property
    def lost(self) -> int:
        return len(self._sent)

    def run(self, seconds: float, rate: int) -> None:
        """*rate*: questions a second."""
        begun = time.monotonic()
        while self.asked < seconds * rate:
            time.sleep(max(0.0, begun + self.asked / rate - time.monotonic()))
            self._ask()
            self._take()
        end = time.monotonic() + TAIL_S
        while self._sent and time.monotonic() < end:
            time.sleep(0.01)
            self._take()
        self._sock.close()

    def _ask(self) -> None:
        ident = self.asked & 0xFFFF
        message = ident.to_bytes(2, "big") + self._queries[self.asked % len(self._queries)][2:]
        self.asked += 1
        self._sent[ident] = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self._sock.send(message)

    def _take(self) -> None:
        while True:
            try:
                data, extra, _, _ = self._sock.recvmsg(4096, 64)
            except BlockingIOError:
                return
            begun = self._sent.pop(int.from_bytes(data[:2], "big"), None)
            if begun is not None:
                seconds, nanoseconds = (
                    int.from_bytes(extra[0][2][at : at + 8], sys.byteorder) for at in (0, 8)
                )
                self.latencies.append((seconds * 1_000_000_000 + nanoseconds - begun) / 1e3)


def main() -> None:
    prober = Prober(int(sys.argv[1]), read_queries(Path(sys.argv[2])))
    time.sleep(LEAD_S)
    prober.run(float(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps({"lost": prober.lost, "latencies": prober.latencies}))


if __name__ == "__main__":
    main()
