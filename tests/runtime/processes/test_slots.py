"""What a slot holds, whoever writes to it and however that one ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dnsserver.runtime.processes import Board, Kind, Reason, Slot
from tests.support.process import PATIENCE_S, environment

KILLER = Path(__file__).with_name("killer.py")
CAPACITY = 100


def test_empty_slot() -> None:
    slot = Slot(CAPACITY)
    assert slot.read() is None
    assert slot.last_beat == 0


@pytest.mark.parametrize("octets", [b"", b"x", bytes(CAPACITY)], ids=["nothing", "one octet", "full"])
def test_last_value_is_read_as_often_as_one_likes(octets: bytes) -> None:
    slot = Slot(CAPACITY)
    for value in (b"first", b"second", octets):
        slot.write(value)
        assert [slot.read(), slot.read()] == [value] * 2


def test_value_that_is_too_large_is_refused() -> None:
    slot = Slot(CAPACITY)
    slot.write(b"kept")
    with pytest.raises(ValueError, match=r"^101 octets do not fit in a slot of 100$"):
        slot.write(bytes(CAPACITY + 1))
    assert slot.read() == b"kept"


def test_value_that_was_overwritten_during_the_reading_is_no_value() -> None:
    """What the checksum is for; here by hand, as a reader is seldom that slow."""
    slot = Slot(CAPACITY)
    slot.write(b"kept whole")
    memory = slot._memory
    memory[memory.find(b"whole")] ^= 1
    assert slot.read() is None
    slot.write(b"next")
    assert slot.read() == b"next"


def test_heartbeat() -> None:
    slot = Slot(CAPACITY)
    slot.beat(12345.678)
    slot.write(b"value")
    assert slot.last_beat == 12345.678


def test_slots_and_counters_of_a_board_are_apart() -> None:
    board = Board(workers=2, slot_capacity=CAPACITY)
    for number, slot in enumerate(board.slots):
        slot.write(b"%d" % number)
    board.restarts.add(Kind.WORKER, Reason.HANG)
    board.restarts.add(Kind.WORKER, Reason.HANG)
    assert board.control_slot.read() == b"0"
    assert [slot.read() for slot in board.worker_slots] == [b"1", b"2"]
    assert {key: count for key, count in board.restarts.counts().items() if count} == {("worker", "hang"): 2}
    assert set(board.restarts.counts()) == {(kind, reason) for kind in Kind for reason in Reason}


@pytest.mark.alone
def test_writer_killed_in_the_middle_leaves_a_whole_value() -> None:
    """A program, as this process must not fork."""
    done = subprocess.run(
        [sys.executable, KILLER], env=environment(), timeout=PATIENCE_S, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.returncode == os.EX_OK
    kills, found = map(int, done.stdout.split())
    assert kills == 50
    assert found >= kills - 1, "only the first writer may be killed before it has written anything"
