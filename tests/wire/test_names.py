"""Domain names: presentation format, limits, decompression (RFC 1035 sections 3.1, 4.1.4 and 5.1)."""

import contextlib
from random import Random

import dns.exception
import dns.name
import pytest

from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError, WireError

TEXTS: tuple[tuple[str, bytes, str], ...] = (
    # text, wire, text as it comes back
    (".", b"\0", "."),
    ("", b"\0", "."),
    ("com", b"\3com\0", "com."),
    ("com.", b"\3com\0", "com."),
    ("Www.Example.COM.", b"\3Www\7Example\3COM\0", "Www.Example.COM."),
    ("_http._tcp.svc", b"\5_http\4_tcp\3svc\0", "_http._tcp.svc."),
    (r"a\.b.c", b"\3a.b\1c\0", r"a\.b.c."),
    (r"a\\b", b"\3a\\b\0", r"a\\b."),
    (r"a\098c", b"\3abc\0", "abc."),
    (r"a\000c", b"\3a\0c\0", r"a\000c."),
    (r"\255\127\032", b"\3\xff\x7f \0", r"\255\127\032."),
    (r"\ab", b"\2ab\0", "ab."),
    (r"\"\(\)\;\@\$", b'\6"();@$\0', r"\"\(\)\;\@\$."),
    ("a b", b"\3a b\0", r"a\032b."),
    ("ü", b"\2\xc3\xbc\0", r"\195\188."),
    ("*.x", b"\1*\1x\0", "*.x."),
    ("x" * 63, b"\x3f" + b"x" * 63 + b"\0", "x" * 63 + "."),
    (".".join(["y" * 62] * 4), (b"\x3e" + b"y" * 62) * 4 + b"\0", ".".join(["y" * 62] * 4) + "."),
)
BAD_TEXTS = (
    "..",
    ".a",
    "a..b",
    "a..",
    "x" * 64,
    "x" * 64 + ".a",
    ".".join(["y" * 63] * 4),
    "a\\",
    "\\",
    r"a\2",
    r"a\25",
    r"a\25x",
    r"a\256",
    r"a\999",
    "\udc80",
    "a.\ud800.b",
)
MESSAGE = b"\3www\7example\3com\0" + b"\4mail\xc0\x04" + b"\xc0\x11" + b"\xc0\x10"
DECODED: tuple[tuple[str, bytes, int, bytes, int], ...] = (
    ("plain", MESSAGE, 0, b"\3www\7example\3com\0", 17),
    ("a suffix", MESSAGE, 4, b"\7example\3com\0", 17),
    ("a pointer behind a label", MESSAGE, 17, b"\4mail\7example\3com\0", 24),
    ("a pointer to a pointer", MESSAGE, 24, b"\4mail\7example\3com\0", 26),
    ("a pointer to the root", MESSAGE, 26, b"\0", 28),
    ("the root", b"\0", 0, b"\0", 1),
    ("case is kept", b"\2Ab\0\xc0\0", 4, b"\2Ab\0", 6),
    ("any octets", b"\4\0.\xff\\\0", 0, b"\4\0.\xff\\\0", 6),
    ("a label of 63", b"\x3f" + b"a" * 63 + b"\0", 0, b"\x3f" + b"a" * 63 + b"\0", 65),
    ("255 octets", b"\1a" * 127 + b"\0", 0, b"\1a" * 127 + b"\0", 255),
)
BROKEN: tuple[tuple[str, bytes, int], ...] = (
    ("nothing", b"", 0),
    ("behind the end", b"\0", 1),
    ("a label that is cut", b"\5abc", 0),
    ("no root", b"\3abc", 0),
    ("a pointer that is cut", b"\0\xc0", 1),
    ("a pointer to itself", b"\0\xc0\x01", 1),
    ("a pointer forwards", b"\xc0\x02\0", 0),
    ("a pointer behind the end", b"\0\xff\xff", 1),
    ("two pointers at each other", b"\xc0\x02\xc0\0", 2),
    ("a label and a pointer back to it", b"\1a\xc0\0", 0),
    ("the same from the pointer", b"\1a\xc0\0", 2),
    ("label type 01", b"\x40\0", 0),
    ("label type 10", b"\x80\0", 0),
    ("256 octets", b"\2aa" + b"\1a" * 126 + b"\0", 0),
    ("256 octets by pointer", b"\1a" * 127 + b"\0" + b"\1b\xc0\0", 255),
    (
        "128 pointers",
        b"\0" + b"".join((0xC000 | max(0, 2 * n - 1)).to_bytes(2, "big") for n in range(128)),
        255,
    ),
)


@pytest.mark.parametrize(("text", "wire", "back"), TEXTS)
def test_text(text: str, wire: bytes, back: str) -> None:
    assert names.from_text(text) == wire
    assert names.to_text(wire) == back
    assert names.from_text(back) == wire


@pytest.mark.parametrize(("text", "wire", "back"), TEXTS)
def test_text_as_dnspython_has_it(text: str, wire: bytes, back: str) -> None:
    assert dns.name.from_wire(wire, 0)[0].to_text() == back
    if text.isascii() and text:
        assert dns.name.from_text(text).to_wire() == wire


@pytest.mark.parametrize("text", BAD_TEXTS, ids=ascii)
def test_text_that_is_no_name(text: str) -> None:
    with pytest.raises(NameTextError):
        names.from_text(text)


def test_any_text_is_a_name_or_no_name() -> None:
    rng = Random(1)
    for _ in range(5_000):
        text = "".join(rng.choice('ab.\\019.é\u2028\t -_*"') for _ in range(rng.randrange(12)))
        try:
            wire = names.from_text(text)
        except NameTextError:
            continue
        assert names.from_text(names.to_text(wire)) == wire


@pytest.mark.parametrize(
    ("why", "message", "place", "name", "behind"), DECODED, ids=[row[0] for row in DECODED]
)
def test_decode(why: str, message: bytes, place: int, name: bytes, behind: int) -> None:
    assert names.decode(message, place) == (name, behind), why


@pytest.mark.parametrize(("why", "message", "place"), BROKEN, ids=[row[0] for row in BROKEN])
def test_decode_refuses(why: str, message: bytes, place: int) -> None:
    with pytest.raises(WireError):
        names.decode(message, place)
    assert why


def test_decode_every_cut() -> None:
    for size in range(24):
        with pytest.raises(WireError):
            names.decode(MESSAGE[:size], 17)


def test_decode_reads_what_dnspython_reads() -> None:
    """Random octets that look like names. Of names with pointers, dnspython refuses some more: those that overlap."""
    rng = Random(2)
    agreed = 0
    for _ in range(20_000):
        octets = bytes(rng.choice((0, 1, 2, 3, 0xC0, 97, rng.randrange(256))) for _ in range(20))
        place = rng.randrange(20)
        try:
            expected, used = dns.name.from_wire(octets, place)
        except dns.exception.DNSException:
            pointers = max(octets[place:]) >= 0xC0
            with contextlib.suppress(WireError) if pointers else pytest.raises(WireError):
                names.decode(octets, place)
        else:
            assert names.decode(octets, place) == (expected.to_wire(), place + used)
            agreed += 1
    assert agreed > 1_000


@pytest.mark.parametrize(
    ("name", "zone", "split"),
    [
        ("a.b.c.", "c.", ("a.b", "c.")),
        ("a.b.c.", "b.c.", ("a", "b.c.")),
        ("a.b.C.", "B.c.", ("a", "b.C.")),
        ("c.", "c.", ("", "c.")),
        ("c.", ".", ("c", ".")),
        (".", ".", ("", ".")),
        (".", "c.", None),
        ("b.c.", "a.b.c.", None),
        ("xc.", "c.", None),
        (r"a\.c.", "c.", None),
        ("a.b.d.", "c.", None),
        ("aaa.bbb.", "ccc.", None),
    ],
)
def test_split_at(name: str, zone: str, split: tuple[str, str] | None) -> None:
    found = names.split_at(names.from_text(name), names.from_text(zone))
    expected = None if split is None else (names.from_text(split[0])[:-1], names.from_text(split[1]))
    assert found == expected
    assert names.is_below(names.from_text(name), names.from_text(zone)) == (split is not None)


def test_a_label_that_looks_like_a_zone_is_none() -> None:
    """The octets of the zone stand at the end, inside a label."""
    assert names.split_at(b"\6\3abc\1c\0", b"\1c\0") is None
    assert names.split_at(b"\2\1c\0", b"\1c\0") is None


@pytest.mark.parametrize("parts", [[], [b"a"], [b"a", b"bc", b"def"], [b"x" * 63] * 3])
def test_labels_and_back(parts: list[bytes]) -> None:
    name = names.join(parts)
    assert names.labels(name) == parts
    assert names.prefix(parts) + names.ROOT == name
    assert list(names.suffixes(name)) == [names.join(parts[n:]) for n in range(len(parts) + 1)]


def test_lower_leaves_length_octets_alone() -> None:
    """A length octet is below 64, so it is no letter (RFC 4343)."""
    for size in range(1, 64):
        assert names.join([b"A" * size]).lower() == names.join([b"a" * size])


@pytest.mark.parametrize(
    ("label", "text"), [(b"a.b", r"a\.b"), (b"a b", r"a\032b"), (b"", ""), (b"\0", r"\000")]
)
def test_label_text(label: bytes, text: str) -> None:
    assert names.label_text(label) == text
