"""Numbers and durations as Go reads them, with Go's messages (coredns-compat.md, section 1.9)."""

from __future__ import annotations

import re

#: Nanoseconds per unit, as `time.ParseDuration` names them (both code points of the micro sign).
NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
#: Nanoseconds. A Go duration has 63 bits (292 years).
_DURATION_END = 1 << 63
#: Go's int has 64 bits.
_INT_END = 1 << 63
#: Characters. The largest 64-bit number has 19 digits; longer texts are refused unread (Python limits them, too).
_MAX_DIGITS = 64

_PART = re.compile(r"([0-9]*)(\.?)([0-9]*)([^.0-9]*)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}


def quote(text: str) -> str:
    """*text* in double quotes, escaped as Go's `%q` does for the cases that configurations have."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    return f"\\x{ord(char):02x}" if ord(char) < 0x80 else f"\\u{ord(char):04x}"


def integer(text: str, function: str = "strconv.Atoi") -> int:
    """A decimal integer of 64 bits; ValueError with the message of Go's *function*."""
    pattern_fits = _INTEGER.fullmatch(text) is not None
    signed = text[:1] in ("+", "-")
    if not pattern_fits or (signed and function == "strconv.ParseUint"):
        raise ValueError(f"{function}: parsing {quote(text)}: invalid syntax")
    digits = text.lstrip("+-").lstrip("0") or "0"
    value = int(digits) if len(digits) <= _MAX_DIGITS else _INT_END * 4
    value = -value if text[0] == "-" else value
    end = _INT_END * 2 if function == "strconv.ParseUint" else _INT_END
    if not -_INT_END <= value < end:
        raise ValueError(f"{function}: parsing {quote(text)}: value out of range")
    return value


def seconds(text: str) -> float:
    """A Go duration such as `1h30m` or `-1.5s`, in seconds; ValueError with Go's message."""
    return nanoseconds(text) / 1e9


def nanoseconds(text: str) -> int:
    """A Go duration in nanoseconds; ValueError with Go's message."""
    invalid = ValueError(f"time: invalid duration {_quoted(text)}")
    negative, rest = text[:1] == "-", text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total, at = 0, 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None or not (part[1] or part[3]):
            raise invalid
        total += _part_nanoseconds(text, part)
        at = part.end()
        if total > _DURATION_END:
            raise invalid
    if total == _DURATION_END and not negative:
        raise invalid
    return -total if negative else total


def _part_nanoseconds(text: str, part: re.Match[str]) -> int:
    """The value of one number with its unit."""
    whole, _, fraction, unit = part.groups()
    invalid = ValueError(f"time: invalid duration {_quoted(text)}")
    whole = whole.lstrip("0") or "0"
    if len(whole) > _MAX_DIGITS or int(whole) > _DURATION_END:
        raise invalid
    if not unit:
        raise ValueError(f"time: missing unit in duration {_quoted(text)}")
    if unit not in NANOSECONDS:
        raise ValueError(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
    # Go cuts a fraction at 18 digits as well: more have no weight in a nanosecond.
    fraction = fraction[:18]
    value = int(whole) * NANOSECONDS[unit]
    if fraction:
        value += int(fraction) * NANOSECONDS[unit] // 10 ** len(fraction)
    return value


def _quoted(text: str) -> str:
    """*text* as package `time` quotes it: octets outside printable ASCII as `\\xNN`."""
    octets = text.encode("utf-8", "surrogatepass")
    return '"' + "".join(_quoted_octet(octet) for octet in octets) + '"'


def _quoted_octet(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet < 0x80 else f"\\x{octet:02x}"


def duration_text(duration_s: float) -> str:
    """Seconds as Go writes durations: `300ms`, `1.5s`, `5m0s`, `1h0m0s`."""
    nanoseconds = round(abs(duration_s) * 1e9)
    sign = "-" if duration_s < 0 and nanoseconds else ""
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if 0 < nanoseconds < min(size * 1_000, 1_000_000_000):
            return f"{sign}{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60 * 1_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 1_000_000_000)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(value: int, size: int) -> str:
    """*value* / *size*, a power of ten, without zeros at the end."""
    whole, fraction = divmod(value, size)
    digits = str(fraction).rjust(len(str(size)) - 1, "0").rstrip("0") if fraction else ""
    return f"{whole}.{digits}" if digits else str(whole)
