"""DNS messages in frames, many questions at a time: TCP (RFC 7766), and TLS around it (RFC 7858)."""

from collections.abc import Callable

from dnsserver.transports.upstream.connection import Connection, Wait
from dnsserver.transports.upstream.peer import Peer
from dnsserver.transports.upstream.randomness import RANDOM
from dnsserver.transports.upstream.tls import ClientTls
from dnsserver.wire.frames import TcpFrames, frame

#: Octets of an ID (RFC 1035 section 4.1.1).
IDENT = 2


class StreamConnection(Connection):
    """Replies come in any order; each is known by its ID and its question."""

    def __init__(self, peer: Peer, tls: ClientTls | None, ended: Callable[[Connection], None]) -> None:
        super().__init__(peer, tls, ended)
        self._frames = TcpFrames()

    def send(self, wait: Wait) -> int:
        ident = int.from_bytes(RANDOM.octets(IDENT), "big")
        while ident in self.waits:
            ident = int.from_bytes(RANDOM.octets(IDENT), "big")
        self.write(frame(ident.to_bytes(IDENT, "big") + wait.octets[IDENT:]))
        return ident

    def taken(self, data: bytes) -> None:
        for message in self._frames.feed(data):
            if len(message) >= IDENT:
                self.answered(int.from_bytes(message[:IDENT], "big"), message)

    def end_text(self) -> str:
        return "unexpected EOF" if self._frames.buffered else "EOF"
