"""Section 1.9 of coredns-compat.md: durations and numbers with Go's messages."""

from __future__ import annotations

import pytest

from dnsserver.config import seconds
from dnsserver.config.gotext import duration_text, integer

DURATIONS = (
    ("0", 0.0),
    ("-0", 0.0),
    ("+0", 0.0),
    ("5s", 5.0),
    ("+5s", 5.0),
    ("-1.5s", -1.5),
    ("1h30m", 5400.0),
    ("1m1m", 120.0),
    (".5s", 0.5),
    ("1.s", 1.0),
    ("250ms", 0.25),
    ("3us", 3e-6),
    ("3µs", 3e-6),
    ("3μs", 3e-6),
    ("7ns", 7e-9),
    ("0.1234567890123456789123s", 0.123456789),
    ("9223372036854775807ns", 9223372036.854776),
    ("-9223372036854775808ns", -9223372036.854776),
)

NO_DURATIONS = (
    ("30", 'time: missing unit in duration "30"'),
    ("1h30", 'time: missing unit in duration "1h30"'),
    ("-", 'time: invalid duration "-"'),
    ("", 'time: invalid duration ""'),
    ("s", 'time: invalid duration "s"'),
    (".s", 'time: invalid duration ".s"'),
    ("1 s", 'time: unknown unit " s" in duration "1 s"'),
    ("1d", 'time: unknown unit "d" in duration "1d"'),
    ("1S", 'time: unknown unit "S" in duration "1S"'),
    ('1"\\é\n', 'time: unknown unit "\\"\\\\\\xc3\\xa9\\x0a" in duration "1\\"\\\\\\xc3\\xa9\\x0a"'),
    ("9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'),
    ("9" * 5000 + "s", 'time: invalid duration "' + "9" * 5000 + 's"'),
    ("3000000h", 'time: invalid duration "3000000h"'),
    ("١s", 'time: invalid duration "\\xd9\\xa1s"'),
)


@pytest.mark.parametrize(("text", "expected"), DURATIONS)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(("text", "message"), NO_DURATIONS, ids=lambda value: value[:20])
def test_no_durations(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        seconds(text)
    assert str(caught.value) == message


INTEGERS = (
    ("0", 0),
    ("007", 7),
    ("-5", -5),
    ("+5", 5),
    ("9223372036854775807", 2**63 - 1),
    ("-9223372036854775808", -(2**63)),
)

NO_INTEGERS = (
    ("x", "strconv.Atoi", 'strconv.Atoi: parsing "x": invalid syntax'),
    ("", "strconv.Atoi", 'strconv.Atoi: parsing "": invalid syntax'),
    ("1_0", "strconv.Atoi", 'strconv.Atoi: parsing "1_0": invalid syntax'),
    ("١", "strconv.Atoi", 'strconv.Atoi: parsing "١": invalid syntax'),
    ("3600s", "strconv.Atoi", 'strconv.Atoi: parsing "3600s": invalid syntax'),
    ('a"\t\x01', "strconv.Atoi", 'strconv.Atoi: parsing "a\\"\\t\\x01": invalid syntax'),
    ("\u2028", "strconv.Atoi", 'strconv.Atoi: parsing "\\u2028": invalid syntax'),
    (
        "9223372036854775808",
        "strconv.Atoi",
        'strconv.Atoi: parsing "9223372036854775808": value out of range',
    ),
    ("-1", "strconv.ParseUint", 'strconv.ParseUint: parsing "-1": invalid syntax'),
    ("+1", "strconv.ParseUint", 'strconv.ParseUint: parsing "+1": invalid syntax'),
    (str(2**64), "strconv.ParseUint", f'strconv.ParseUint: parsing "{2**64}": value out of range'),
    ("1" * 5000, "strconv.Atoi", 'strconv.Atoi: parsing "' + "1" * 5000 + '": value out of range'),
)


@pytest.mark.parametrize(("text", "expected"), INTEGERS)
def test_integers(text: str, expected: int) -> None:
    assert integer(text) == expected


def test_unsigned_integers_have_all_64_bits() -> None:
    assert integer(str(2**64 - 1), "strconv.ParseUint") == 2**64 - 1


@pytest.mark.parametrize(("text", "function", "message"), NO_INTEGERS, ids=lambda value: value[:20])
def test_no_integers(text: str, function: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        integer(text, function)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (500_000_000, "500ms"),
        (1_500_000_000, "1.5s"),
        (90_000_000_000, "1m30s"),
        (90_000_000_000_000, "25h0m0s"),
        (-2_000_000_000, "-2s"),
    ],
)
def test_durations_as_go_prints_them(nanos: int, text: str) -> None:
    assert duration_text(nanos / 1e9) == text
