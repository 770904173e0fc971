"""Octets that nobody can guess, in small pieces: one system call for many of them."""

import os

#: Octets fetched at once.
_STOCK = 4096


class Randomness:
    """Octets of the system's generator (RFC 5452 section 4.3: IDs must not be guessable)."""

    def __init__(self) -> None:
        self._stock = b""
        self._place = 0

    def octets(self, count: int) -> bytes:
        """*count* octets, of at most 4096; none is given out twice."""
        end = self._place + count
        if end > len(self._stock):
            self._stock = os.urandom(_STOCK)
            self._place, end = 0, count
        found = self._stock[self._place : end]
        self._place = end
        return found

    def below(self, limit: int) -> int:
        """A number from 0 up to *limit*, which is small against 2**32: the bias is not worth another draw."""
        return int.from_bytes(self.octets(4), "big") % limit

    def renew(self) -> None:
        """Drop what has been fetched: a forked process must not give out the same."""
        self._stock, self._place = b"", 0


RANDOM = Randomness()
os.register_at_fork(after_in_child=RANDOM.renew)
