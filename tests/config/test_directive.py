"""Sections 1.8 and 1.9 of coredns-compat.md: what plugins read their settings with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dnsserver.config import ConfigError, Line, Occurrence, Property
from tests.config.helpers import only, parsed

HEAD = "plugin/cache: Corefile:3 - Error during parsing: "
WRONG = HEAD + "Wrong argument count or unexpected line ending after '{}'"


def line(text: str) -> Property:
    """*text* as a line of a sub-block of cache; it is line 3 of its file."""
    return only(f"cache {{\n{text}\n}}").properties[0]


def message(action: Callable[[], object]) -> str:
    """The text of the ConfigError that *action* raises."""
    with pytest.raises(ConfigError) as caught:
        action()
    return str(caught.value)


COUNTS: tuple[tuple[str, Callable[[Line], object], bool], ...] = (
    ("p", lambda p: p.exactly(0), True),
    ("p a", lambda p: p.exactly(1), True),
    ("p a b", lambda p: p.exactly(2), True),
    ("p a", lambda p: p.at_least(1), True),
    ("p a b c", lambda p: p.at_least(1), True),
    ("p", lambda p: p.at_most(1), True),
    ("p a b", lambda p: p.between(1, 2), True),
    ("p", lambda p: p.no_arguments(), True),
    ("p a", lambda p: p.one(), True),
    ("p", lambda p: p.exactly(1), False),
    ("p a b", lambda p: p.exactly(1), False),
    ("p", lambda p: p.at_least(1), False),
    ("p a b", lambda p: p.at_most(1), False),
    ("p a b c", lambda p: p.between(1, 2), False),
    ("p", lambda p: p.one(), False),
    ("p a b", lambda p: p.one(), False),
)


@pytest.mark.parametrize(("text", "read", "accepted"), COUNTS)
def test_counts(text: str, read: Callable[[Line], object], accepted: bool) -> None:
    found = line(text)
    if accepted:
        read(found)
    else:
        assert message(lambda: read(found)) == WRONG.format(text.split()[-1])


def test_no_arguments_names_the_first() -> None:
    assert message(line("p a b").no_arguments) == WRONG.format("a")


def test_a_brace_as_argument_gets_a_hint() -> None:
    found = only("forward . X { force_tcp }").properties[0]
    assert message(found.no_arguments) == (
        "plugin/forward: Corefile:2 - Error during parsing: "
        "Wrong argument count or unexpected line ending after '}'; '}' must start a line"
    )


def test_texts() -> None:
    found = line("p a b")
    assert (found.text, found.texts, found.words) == ("p", ("a", "b"), ("p", "a", "b"))
    assert (found.plugin, found.file, found.line) == ("cache", "Corefile", 3)
    assert str(found.one() if len(found.arguments) == 1 else found.arguments[1]) == "b"


INTEGERS = (
    ("7", None, None, 7),
    ("7", 7, 7, 7),
    ("-7", None, 0, -7),
    ("x", None, None, 'plugin/cache: strconv.Atoi: parsing "x": invalid syntax (Corefile:3)'),
    ("0", 1, None, "plugin/cache: p: 0 must be at least 1 (Corefile:3)"),
    ("9", None, 8, "plugin/cache: p: 9 must be at most 8 (Corefile:3)"),
    ("9", 1, 8, "plugin/cache: p: 9 must be at least 1 and at most 8 (Corefile:3)"),
)


@pytest.mark.parametrize(("text", "low", "high", "expected"), INTEGERS)
def test_integer(text: str, low: int | None, high: int | None, expected: int | str) -> None:
    found = line(f"p {text}")
    if isinstance(expected, int):
        assert found.integer(found.one(), low, high) == expected
    else:
        assert message(lambda: found.integer(found.one(), low, high)) == expected


def test_integer_names_another_function() -> None:
    found = line("p x")
    text = message(lambda: found.integer(found.one(), function="strconv.ParseUint"))
    assert text == 'plugin/cache: strconv.ParseUint: parsing "x": invalid syntax (Corefile:3)'


def test_duration() -> None:
    found = line("p 1m30s 30")
    assert found.duration(found.arguments[0]) == 90.0
    text = message(lambda: found.duration(found.arguments[1]))
    assert text == 'plugin/cache: time: missing unit in duration "30" (Corefile:3)'


def test_zones() -> None:
    found = only("cache 30 A.org 10.0.0.0/23 a.org")
    block = ("z.",)
    assert found.zones(block, found.arguments[1:]) == (
        "a.org.",
        "0.0.10.in-addr.arpa.",
        "1.0.10.in-addr.arpa.",
    )
    assert found.zones(block, ()) == block
    assert only("cache").zones(block) == block
    wrong = only("cache a..b")
    text = message(lambda: wrong.zones(block))
    assert text == "plugin/cache: zone is not a valid domain name: a..b (Corefile:2)"


def test_error_texts() -> None:
    found = line("p a b")
    assert str(found.error("no")) == HEAD + "no"
    assert str(found.bare_error("no")) == "plugin/cache: no (Corefile:3)"
    assert str(found.unknown()) == HEAD + "unknown property 'p'"
    assert str(found.argument_error(found.name)) == WRONG.format("p")
    assert str(found.syntax_error("Unknown field p")) == (
        "plugin/cache: Corefile:3 - Syntax error: Unexpected token 'p', expecting 'Unknown field p'"
    )


def test_errors_are_at_the_token() -> None:
    (block,) = parsed('. {\ncache "a\n\nb" c\n}').blocks
    found = block.directives[0].occurrences[0]
    assert str(found.error("no", found.arguments[0])).startswith("plugin/cache: Corefile:2 -")
    assert str(found.error("no")).startswith("plugin/cache: Corefile:4 -")


def test_no_properties() -> None:
    only("loop").no_properties()
    only("loop {\n}").no_properties()
    assert message(only("cache {\np a\n}").no_properties) == WRONG.format("p")


def test_once() -> None:
    blocks = parsed("a {\ncache\n}\nb {\nlog\ncache 1\ncache 2\n}").blocks
    first, second = (block.directive("cache") for block in blocks)
    assert first is not None
    assert second is not None
    assert isinstance(first.once(), Occurrence)
    assert message(second.once) == (
        "plugin/cache: this plugin can only be used once per Server Block (Corefile:7)"
    )
    assert second.last().texts == ("2",)


def test_missing_plugin() -> None:
    directive = parsed(". {\nloop\n}").blocks[0].directives[0]
    assert str(directive.missing_plugin()) == (
        "no action found for directive 'loop' with server type 'dns' (missing a plugin?) (Corefile:2)"
    )
