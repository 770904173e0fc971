"""Memory that one process writes and others read, and that outlives its writer."""

import mmap
import struct
import zlib

#: Octets. What a writer may leave in a slot; pages that nobody writes to cost no memory.
SLOT_CAPACITY = 1 << 20

#: Words of 64 bits at the beginning: the sequence number of the last complete value, and the heartbeat (a double).
_PUBLISHED, _BEAT = 0, 1
_WORDS_SIZE = 16
#: In front of each value: its sequence number, length, and CRC-32.
_HEADER = struct.Struct("=QII")
#: A reader fails only while the writer begins a second value during one copy; so often in a row says: damaged.
_ATTEMPTS = 1_000


class Slot:
    """Room for the last value of one writer and its heartbeat, in memory shared with what is forked later.

    Values take two areas by turns: the one before stays whole while the next is written, so a writer that is killed in
    the middle leaves that. One writer at a time; any number of readers, in any process, without a lock.
    """

    def __init__(self, capacity: int = SLOT_CAPACITY) -> None:
        """*capacity* in octets."""
        self.capacity = capacity
        self._memory = mmap.mmap(-1, _WORDS_SIZE + 2 * (_HEADER.size + capacity))
        words = memoryview(self._memory)[:_WORDS_SIZE]
        # Elements of such views are stored in one piece; struct would store them octet by octet.
        self._numbers = words.cast("Q")
        self._seconds = words.cast("d")

    def __repr__(self) -> str:
        return f"<Slot values={self._numbers[_PUBLISHED]} last_beat={self.last_beat:.1f}>"

    def write(self, octets: bytes) -> None:
        """Put *octets* in place of the last value. Raises ValueError, and keeps that, when they are too many."""
        if len(octets) > self.capacity:
            raise ValueError(f"{len(octets)} octets do not fit in a slot of {self.capacity}")
        sequence = self._numbers[_PUBLISHED] + 1
        start = self._start(sequence)
        _HEADER.pack_into(self._memory, start, sequence, len(octets), _checksum(octets, sequence))
        start += _HEADER.size
        self._memory[start : start + len(octets)] = octets
        self._numbers[_PUBLISHED] = sequence

    def read(self) -> bytes | None:
        """The last complete value, of this writer or the one before it; None when there never was one."""
        for _ in range(_ATTEMPTS):
            sequence = self._numbers[_PUBLISHED]
            if not sequence:
                return None
            start = self._start(sequence)
            found, length, checksum = _HEADER.unpack_from(self._memory, start)
            start += _HEADER.size
            octets = self._memory[start : start + min(length, self.capacity)]
            # The checksum also tells when this CPU sees the number before the octets, as ARM's may.
            if found == sequence and checksum == _checksum(octets, sequence):
                return octets
        return None

    def beat(self, now: float) -> None:
        """Say "alive" at *now*, in seconds of `time.monotonic`, which is one clock for all processes."""
        self._seconds[_BEAT] = now

    @property
    def last_beat(self) -> float:
        """When `beat` was last called, in seconds of `time.monotonic`; 0 for never."""
        return self._seconds[_BEAT]

    def _start(self, sequence: int) -> int:
        return _WORDS_SIZE + sequence % 2 * (_HEADER.size + self.capacity)


def _checksum(octets: bytes, sequence: int) -> int:
    return zlib.crc32(octets, sequence & 0xFFFFFFFF)
