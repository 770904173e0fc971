"""DNS messages in a byte stream: two octets of length, then the message (RFC 1035 §4.2.2, RFC 7766 §8)."""

from dnsserver.wire.limits import MESSAGE_MAX

#: Octets of length before each message.
PREFIX = 2


class FrameTooLong(ValueError):
    """The peer announces a message longer than we are willing to buffer."""


def frame(message: bytes) -> bytes:
    """The message with its length before it, in one piece: it should leave in one segment (RFC 7766 §8)."""
    if len(message) > MESSAGE_MAX:
        raise FrameTooLong(f"a message of {len(message)} octets does not fit a frame of {MESSAGE_MAX}")
    return len(message).to_bytes(PREFIX, "big") + message


class TcpFrames:
    """Split a byte stream into DNS messages.

    Between two calls of `feed` at most one incomplete frame is buffered: `PREFIX + longest` octets. Messages
    of any length are given out, even empty ones; what a message must hold is not decided here.
    """

    __slots__ = ("_buffer", "_longest")

    def __init__(self, longest: int = MESSAGE_MAX) -> None:
        self._buffer = bytearray()
        self._longest = longest

    def __repr__(self) -> str:
        return f"<TcpFrames buffered={self.buffered}>"

    @property
    def buffered(self) -> int:
        """Octets of the incomplete frame; 0 between two messages."""
        return len(self._buffer)

    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """The messages that *data* completes. After `FrameTooLong` the stream is lost: close it."""
        buffer = self._buffer
        buffer += data
        messages: list[bytes] = []
        start, size = 0, len(buffer)
        while size - start >= PREFIX:
            begin = start + PREFIX
            length = int.from_bytes(buffer[start:begin], "big")
            if length > self._longest:
                buffer.clear()
                raise FrameTooLong(f"a frame of {length} octets is announced, {self._longest} are accepted")
            if size - begin < length:
                break
            start = begin + length
            messages.append(bytes(buffer[begin:start]))
        del buffer[:start]
        return messages
