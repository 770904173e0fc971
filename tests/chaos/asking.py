"""Questions put all at once from many client ports, so that every worker has its share."""

import contextlib
import selectors
import socket
import time
from types import TracebackType
from typing import Self

import dns.message


class ManyPorts:
    """*number* UDP sockets; the kernel gives each to one worker, by its port."""

    def __init__(self, port: int, number: int = 32) -> None:
        self._exits = contextlib.ExitStack()
        self._selector = self._exits.enter_context(selectors.DefaultSelector())
        self._sockets = [
            self._exits.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(number)
        ]
        for place, sock in enumerate(self._sockets):
            sock.connect(("127.0.0.1", port))
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ, place)
        self.places = frozenset(range(number))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def ask(self, name: str) -> None:
        """One question from each."""
        for sock in self._sockets:
            sock.send(dns.message.make_query(name, "A").to_wire())

    def replies(self, number: int, patience_s: float) -> dict[int, dns.message.Message]:
        """The next *number* replies by place, or those that came in time."""
        found: dict[int, dns.message.Message] = {}
        until = time.monotonic() + patience_s
        while len(found) < number and time.monotonic() < until:
            for key, _ in self._selector.select(max(0.0, until - time.monotonic())):
                with contextlib.suppress(ConnectionError):
                    found[key.data] = dns.message.from_wire(self._sockets[key.data].recv(4096))
        return found
