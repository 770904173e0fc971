"""Section 1.2 of coredns-compat.md: environment variables."""

from __future__ import annotations

import pytest

from dnsserver.config import ConfigError
from dnsserver.config.environment import Environment
from dnsserver.config.lexer import Token
from tests.config.helpers import ENVIRON, outcome, parsed, show

EXPANDED = (
    ("plain", "plain"),
    ("{$ZONE}", "example.org"),
    ("{%ZONE%}", "example.org"),
    ("{$ZONE}:{%PORT%}", "example.org:5300"),
    ("{$PORT}{$PORT}", "53005300"),
    ("{$UNSET}", ""),
    ("a{$UNSET}b", "ab"),
    ("{$EMPTY}", ""),
    ("{$}", "{$}"),
    ("{%%}", "{%%}"),
    ("{$}{$ZONE}", "{$}{$ZONE}"),
    ("{$ZONE", "{$ZONE"),
    ("$ZONE", "$ZONE"),
    ("${ZONE}", "${ZONE}"),
    ("{$A:b}", "odd"),
    ("{$TWO}", "one two"),
    ("{$INNER}", "example.org"),
    ("{{$x}}", "{}"),
)


@pytest.mark.parametrize(("text", "expected"), EXPANDED)
def test_expansion(text: str, expected: str) -> None:
    assert Environment(ENVIRON).expand(Token(text, "F", 1)) == expected


@pytest.mark.parametrize("text", ["{$SELF}", "{$DOUBLE}"])
def test_a_variable_that_names_itself_is_refused(text: str) -> None:
    with pytest.raises(
        ConfigError, match=r"^F:7 - Error during parsing: environment variables .* to the variable"
    ):
        Environment(ENVIRON).expand(Token(text, "F", 7))


PLACES = (
    ("{$ZONE}:{$PORT} {\n{$NAME} {$TWO}\n}", "dns://example.org.:5300 {whoami one two}"),
    ("{$UNSET} . {\nwhoami\n}", "dns://.:53 {whoami}"),
    (". {\nbind {$UNSET}\n}", "dns://.:53 {bind }"),
    (". {\nlog {\n{$NAME} {$ZONE}\n}\n}", "dns://.:53 {log [whoami example.org]}"),
    ("(s) {\n{$NAME} {$PORT}\n}\n. {\nimport {$LETTER}s\n}", "dns://.:53 {whoami 5300}"),
    (". {\n{$UNSET}\n}", "Corefile:2 - Error during parsing: Unknown directive ''"),
    (". {\nimport {$UNSET}\n}", "Corefile:2 - Error during parsing: Import requires a non-empty filepath"),
)


@pytest.mark.parametrize(("text", "expected"), PLACES)
def test_places(text: str, expected: str) -> None:
    assert outcome(text) == expected


def test_a_value_with_blanks_stays_one_token() -> None:
    (block,) = parsed(". {\nwhoami {$TWO}\n}").blocks
    assert block.directives[0].occurrences[0].texts == ("one two",)


def test_unset_variables_are_warned_about_once_per_place() -> None:
    corefile = parsed(". {\nbind {$NONE}{$EMPTY} {$NONE}\n}")
    assert corefile.warnings == (
        "Corefile:2 - environment variable 'NONE' is not set: it is read as empty text",
    )


def test_snippets_are_expanded_at_each_use() -> None:
    text = "(s) {\nwhoami {$ZONE}\n}\n. {\nimport s\n}"
    assert show(parsed(text, environ={"ZONE": "b.org"})) == "dns://.:53 {whoami b.org}"
