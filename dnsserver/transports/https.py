"""HTTP/2 or HTTP/1.1, as the client begins: whatever ALPN said, HTTP/2 has its preface (RFC 9113 section 3.4)."""

from collections.abc import Callable

from dnsserver.transports.conversation import Asked, Conversation, Octets
from dnsserver.transports.http1 import Http1
from dnsserver.transports.http2 import Http2

#: How each connection of HTTP/2 begins; no request of HTTP/1.1 does.
PREFACE = b"PRI * HTTP/2.0"


class HttpConversation:
    """A `Conversation`; *count* is told the status of every reply."""

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self._begun = b""
        self._talk: Conversation | None = None

    @property
    def buffered(self) -> int:
        return len(self._begun) if self._talk is None else self._talk.buffered

    @property
    def unsent(self) -> int:
        return 0 if self._talk is None else self._talk.unsent

    @property
    def more(self) -> bool:
        return self._talk is not None and self._talk.more

    @property
    def ended(self) -> bool:
        return self._talk is not None and self._talk.ended

    @property
    def malformed(self) -> bool:
        return self._talk is not None and self._talk.malformed

    def feed(self, data: Octets) -> list[Asked]:
        if self._talk is None:
            data = self._begun = self._begun + bytes(data)
            if len(data) < len(PREFACE) and PREFACE.startswith(data):
                return []
            self._talk = Http2(self._count) if data.startswith(PREFACE) else Http1(self._count)
            self._begun = b""
        return self._talk.feed(data)

    def output(self) -> bytes:
        return b"" if self._talk is None else self._talk.output()

    def reply(self, place: int, message: bytes | None) -> bytes:
        return b"" if self._talk is None else self._talk.reply(place, message)

    def goodbye(self) -> bytes:
        return b"" if self._talk is None else self._talk.goodbye()
