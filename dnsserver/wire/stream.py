"""A reply that is more than one message: a zone transfer (RFC 5936 section 2.2)."""

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
