"""Replies over TCP that are more than one message (zone transfers, RFC 5936 section 2.2), or less than one."""

from collections.abc import Iterator
from typing import Self


class FirstOfMany(bytes):
    """The first message. `rest` makes the others one by one, when they are asked for: a zone may have gigabytes."""

    rest: Iterator[bytes]

    @classmethod
    def of(cls, messages: Iterator[bytes]) -> Self:
        """*messages* has one at least."""
        first = cls(next(messages))
        first.rest = messages
        return first


class CutShort(bytes):
    """A message of which only the first `sent` octets come, behind the length of the whole; then the connection is
    closed. No server does so by itself: it is for tests of clients."""

    sent: int

    @classmethod
    def of(cls, message: bytes, sent: int) -> Self:
        cut = cls(message)
        cut.sent = sent
        return cut
