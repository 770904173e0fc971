"""Domain names in wire form: length-prefixed labels, closed by the root's zero octet.

A name is `bytes` everywhere inside the server: it is what arrives, what is sent, and a good dictionary key.
`bytes.lower()` is the DNS's case folding (RFC 4343): length octets are at most 63 and no ASCII letters.
"""

import re
from collections.abc import Iterable, Iterator

from dnsserver.wire.errors import NameTextError, WireError
from dnsserver.wire.limits import LABEL_MAX, NAME_MAX, POINTERS_MAX

ROOT = b"\0"

#: Octets that presentation format writes with a backslash (RFC 1035 section 5.1).
_ESCAPED = frozenset(b'"().;@$\\')
#: Labels that are their own presentation format, as nearly all are.
_PLAIN = re.compile(rb"[A-Za-z0-9_-]+")


def labels(name: bytes) -> list[bytes]:
    """The labels of *name*, leftmost first, without the root."""
    found = []
    place = 0
    while size := name[place]:
        found.append(name[place + 1 : place + 1 + size])
        place += 1 + size
    return found


def prefix(parts: Iterable[bytes]) -> bytes:
    """Labels in wire form without the closing root: the relative part of a name."""
    return b"".join(bytes((len(part),)) + part for part in parts)


def join(parts: Iterable[bytes]) -> bytes:
    """The absolute name with these labels."""
    return prefix(parts) + ROOT


def suffixes(name: bytes) -> Iterator[bytes]:
    """*name* and each of its ancestors, the root last."""
    place = 0
    while size := name[place]:
        yield name[place:]
        place += 1 + size
    yield ROOT


def is_below(name: bytes, ancestor: bytes) -> bool:
    """Whether *name* is *ancestor* or below it, label by label and without regard to case."""
    return split_at(name, ancestor) is not None


def split_at(name: bytes, zone: bytes) -> tuple[bytes, bytes] | None:
    """*name* cut into what is left of *zone* and the zone as *name* spells it; None when it is not below."""
    left = len(name) - len(zone)
    place = 0
    while place < left:
        place += 1 + name[place]
    if place != left or name[place:].lower() != zone.lower():
        return None
    return name[:place], name[place:]


def decode(message: bytes, place: int) -> tuple[bytes, int]:
    """The name at *place*, decompressed, and the place behind it (RFC 1035 section 4.1.4).

    Raises WireError for a name that is cut, too long, of an unknown label type, or whose pointers do not lead
    strictly backwards.
    """
    start = place
    try:
        while size := message[place]:
            if size > LABEL_MAX:
                return _decompressed(message, start)
            place += 1 + size
    except IndexError:
        raise WireError("name is cut") from None
    if place + 1 - start > NAME_MAX:
        raise WireError("name is longer than 255 octets")
    return message[start : place + 1], place + 1


def _decompressed(message: bytes, place: int) -> tuple[bytes, int]:
    """As `decode`, for names with pointers."""
    parts = []
    length, behind, pointers = 1, -1, 0
    try:
        while size := message[place]:
            if size > LABEL_MAX:
                if size < 0xC0:
                    raise WireError("label type is neither a label nor a pointer")
                target = (size & 0x3F) << 8 | message[place + 1]
                pointers += 1
                if target >= place or pointers > POINTERS_MAX:
                    raise WireError("compression pointer does not lead backwards")
                behind = place + 2 if behind < 0 else behind
                place = target
                continue
            length += 1 + size
            if length > NAME_MAX:
                raise WireError("name is longer than 255 octets")
            part = message[place : place + 1 + size]
            if len(part) != 1 + size:
                raise WireError("name is cut")
            parts.append(part)
            place += 1 + size
    except IndexError:
        raise WireError("name is cut") from None
    return b"".join(parts) + ROOT, place + 1 if behind < 0 else behind


def from_text(text: str) -> bytes:
    """The absolute name that *text* means in presentation format (the final dot is optional). Raises NameTextError."""
    if text in (".", ""):
        return ROOT
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise NameTextError(f"{text!r} has characters that UTF-8 cannot carry") from None
    parts = _split(octets, text) if b"\\" in octets else octets.split(b".")
    if not parts[-1]:
        parts.pop()
    name = join(_checked(part, text) for part in parts)
    if len(name) > NAME_MAX:
        raise NameTextError(f"{text!r} is longer than {NAME_MAX} octets")
    return name


def _split(octets: bytes, text: str) -> list[bytes]:
    """At dots that are not escaped; the escapes are gone."""
    parts, rest = [bytearray()], iter(octets)
    for octet in rest:
        if octet == 0x2E:
            parts.append(bytearray())
        else:
            parts[-1].append(_unescaped(rest, text) if octet == 0x5C else octet)
    return [*map(bytes, parts)]


def to_text(name: bytes) -> str:
    """Presentation format with the final dot (RFC 1035 section 5.1, RFC 4343 section 2.1)."""
    return "".join(label_text(part) + "." for part in labels(name)) or "."


def label_text(label: bytes) -> str:
    """One label in presentation format."""
    if _PLAIN.fullmatch(label):
        return label.decode()
    return "".join(
        f"\\{chr(octet)}" if octet in _ESCAPED else chr(octet) if 0x21 <= octet <= 0x7E else f"\\{octet:03d}"
        for octet in label
    )


def _unescaped(octets: Iterator[int], text: str) -> int:
    """The octet behind a backslash: itself, or three decimal digits."""
    first = next(octets, None)
    if first is None:
        raise NameTextError(f"{text!r} ends in a backslash")
    if not 0x30 <= first <= 0x39:
        return first
    digits = bytes((first, next(octets, 0), next(octets, 0)))
    if not digits.isdigit() or int(digits) > 255:
        raise NameTextError(f"{text!r} has an escape that is not \\000 to \\255")
    return int(digits)


def _checked(label: bytes, text: str) -> bytes:
    if not label:
        raise NameTextError(f"{text!r} has an empty label")
    if len(label) > LABEL_MAX:
        raise NameTextError(f"{text!r} has a label of {len(label)} octets; {LABEL_MAX} is the most")
    return label
