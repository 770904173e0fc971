"""DNS messages in a byte stream: whole, octet by octet, many at once, and lengths that lie."""

import random

import pytest

from dnsserver.wire.frames import FrameTooLong, TcpFrames, frame
from dnsserver.wire.limits import MESSAGE_MAX

MESSAGES = (b"twelve octets", b"", b"x", bytes(range(256)) * 3)


def test_frame_is_length_then_message() -> None:
    assert frame(b"abc") == b"\0\3abc"
    assert frame(b"") == b"\0\0"
    assert frame(bytes(MESSAGE_MAX))[:2] == b"\xff\xff"


def test_no_frame_for_a_message_that_is_too_long() -> None:
    with pytest.raises(FrameTooLong):
        frame(bytes(MESSAGE_MAX + 1))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10_000])
def test_any_cut_of_the_stream_gives_the_same_messages(size: int) -> None:
    stream = b"".join(map(frame, MESSAGES))
    frames = TcpFrames()
    given = [message for at in range(0, len(stream), size) for message in frames.feed(stream[at : at + size])]
    assert tuple(given) == MESSAGES
    assert frames.buffered == 0


def test_random_cuts_and_buffer_types() -> None:
    rng = random.Random(7766)
    messages = [rng.randbytes(rng.choice((0, 1, 12, 40, 512, 65_535))) for _ in range(200)]
    stream = b"".join(map(frame, messages))
    frames, given, at = TcpFrames(), [], 0
    while at < len(stream):
        size = rng.randrange(1, 30_000)
        piece = rng.choice((bytes, bytearray, memoryview))(stream[at : at + size])
        given += frames.feed(piece)
        assert frames.buffered <= MESSAGE_MAX + 2
        at += size
    assert given == messages


def test_a_length_that_promises_too_much_waits() -> None:
    frames = TcpFrames()
    assert frames.feed(b"\0\x0conly this") == []
    assert frames.buffered == 11
    assert repr(frames) == "<TcpFrames buffered=11>"
    assert frames.feed(b"now") == [b"only thisnow"]
    assert frames.buffered == 0


def test_messages_before_an_incomplete_one_are_given() -> None:
    assert TcpFrames().feed(frame(b"one") + frame(b"two") + b"\0") == [b"one", b"two"]


def test_a_bound_refuses_when_the_length_is_known() -> None:
    frames = TcpFrames(longest=100)
    assert frames.feed(frame(bytes(100))) == [bytes(100)]
    with pytest.raises(FrameTooLong, match="101"):
        frames.feed(b"\0\x65")
    assert frames.buffered == 0
