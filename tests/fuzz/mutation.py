"""Octets that are nearly right: mutations of good messages."""

import os
import struct
from collections.abc import Iterator, Sequence
from random import Random

#: Packets per target, by the environment variable of this name.
PACKETS = int(os.environ.get("FUZZ_PACKETS", "100000"))

#: Octets that mean something at many places: pointers, label types, limits of sizes, root.
TELLING = bytes((0x00, 0x01, 0x0C, 0x29, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xFF))
#: Octets. A mutated packet is never longer.
LONGEST = 4096
SEED = 20_240


def packets(count: int, seeds: Sequence[bytes], stream: int) -> Iterator[bytes]:
    """*count* mutations of *seeds*, the same ones each time for one *stream*."""
    rng = Random(SEED + stream)
    for _ in range(count):
        yield mutated(rng, seeds)


def mutated(rng: Random, seeds: Sequence[bytes]) -> bytes:
    packet = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice(MUTATIONS)(rng, packet, seeds)
    return bytes(packet[:LONGEST])


def _flip(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    if packet:
        packet[rng.randrange(len(packet))] ^= 1 << rng.randrange(8)


def _telling(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    if packet:
        packet[rng.randrange(len(packet))] = rng.choice(TELLING)


def _pointer(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    if len(packet) >= 2:
        place = rng.randrange(len(packet) - 1)
        packet[place : place + 2] = struct.pack("!H", 0xC000 | rng.randrange(len(packet) + 4))


def _cut(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    del packet[rng.randrange(len(packet) + 1) :]


def _remove(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    start = rng.randrange(len(packet) + 1)
    del packet[start : start + rng.randrange(1, 12)]


def _insert(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    start = rng.randrange(len(packet) + 1)
    packet[start:start] = rng.randbytes(rng.randrange(1, 12))


def _repeat(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    start = rng.randrange(len(packet) + 1)
    packet[start:start] = packet[start : start + rng.randrange(1, 80)] * rng.randrange(1, 6)


def _count(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    if len(packet) >= 12:
        place = 4 + 2 * rng.randrange(4)
        packet[place : place + 2] = struct.pack("!H", rng.choice((0, 1, 2, 3, 255, 0xFFFF)))


def _size(rng: Random, packet: bytearray, _seeds: Sequence[bytes]) -> None:
    """Two octets anywhere: types, classes and sizes of RDATA all have two."""
    if len(packet) >= 14:
        place = rng.randrange(12, len(packet) - 1)
        packet[place : place + 2] = struct.pack(
            "!H", rng.choice((0, 1, 4, 16, 41, 255, rng.randrange(65536)))
        )


def _splice(rng: Random, packet: bytearray, seeds: Sequence[bytes]) -> None:
    other = rng.choice(seeds)
    packet[rng.randrange(len(packet) + 1) :] = other[rng.randrange(len(other) + 1) :]


MUTATIONS = (_flip, _telling, _pointer, _cut, _remove, _insert, _repeat, _count, _size, _splice)
