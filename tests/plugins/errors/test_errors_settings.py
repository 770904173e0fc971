"""errors: Corefile text to settings."""

import logging

import pytest

from dnsserver.config.gotext import duration_text
from dnsserver.languages.patterns import Pattern
from dnsserver.plugins.errors import setup
from dnsserver.plugins.errors.settings import ErrorsSettings, Rule
from tests.plugins.helpers import directive, refused


def rule(period_s: float, text: str, level: int = logging.ERROR, *, show_first: bool = False) -> Rule:
    return Rule(period_s=period_s, pattern=Pattern(text), level=level, show_first=show_first)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("errors", ErrorsSettings()),
        ("errors stdout", ErrorsSettings()),
        ("errors {\n}", ErrorsSettings()),
        ("errors {\nstacktrace\n}", ErrorsSettings(stacktrace=True)),
        ("errors {\nconsolidate 1m ^x$\n}", ErrorsSettings(rules=(rule(60, "^x$"),))),
        (
            "errors stdout {\nconsolidate 1m error\nconsolidate 30s .* warning show_first\nstacktrace\n}",
            ErrorsSettings(
                stacktrace=True,
                rules=(rule(60, "error"), rule(30, ".*", logging.WARNING, show_first=True)),
            ),
        ),
        ("errors {\nconsolidate 1s x info\n}", ErrorsSettings(rules=(rule(1, "x", logging.INFO),))),
        ("errors {\nconsolidate 1s x debug\n}", ErrorsSettings(rules=(rule(1, "x", logging.DEBUG),))),
        ("errors {\nconsolidate 1s x error\n}", ErrorsSettings(rules=(rule(1, "x"),))),
        ("errors {\nconsolidate 1s x show_first\n}", ErrorsSettings(rules=(rule(1, "x", show_first=True),))),
        (
            "errors {\nconsolidate 1s " + "a" * 10_000 + "\n}",
            ErrorsSettings(rules=(rule(1, "a" * 10_000),)),
        ),
    ],
)
def test_settings(text: str, settings: ErrorsSettings) -> None:
    assert ErrorsSettings.from_directive(directive(text)) == settings


PARSING = "Corefile:3 - Error during parsing: "
COUNT = PARSING + "Wrong argument count or unexpected line ending after "


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            "stacktrace all",
            "Corefile:3 - Syntax error: Unexpected token 'all', expecting 'Unknown field all'",
        ),
        ("tell me", "Corefile:3 - Syntax error: Unexpected token 'tell', expecting 'Unknown field tell'"),
        ("consolidate", COUNT + "'consolidate'"),
        ("consolidate 1m", COUNT + "'1m'"),
        ("consolidate 1m x error show_first more", COUNT + "'more'"),
        ("consolidate 1 x", PARSING + 'time: missing unit in duration "1"'),
        ("consolidate 1m " + "a" * 10_001, PARSING + "regex pattern too long: 10001 > 10000"),
        ("consolidate 1m (", PARSING + "error parsing regexp: missing ): ("),
        ("consolidate 1m x(?=y)", PARSING + "error parsing regexp: invalid perl operator: (?="),
        ("consolidate 1m x(?<!y)", PARSING + "error parsing regexp: invalid perl operator: (?<!"),
        ("consolidate 1m (x)\\1", PARSING + "error parsing regexp: invalid escape sequence: \\1"),
        ("consolidate 1m x warn", PARSING + "unknown option in consolidate: warn"),
        ("consolidate 1m x error info", PARSING + "multiple log levels specified in consolidate"),
        (
            "consolidate 1m x show_first info",
            PARSING + "log level must come before show_first in consolidate",
        ),
    ],
)
def test_refused_lines(line: str, error: str) -> None:
    assert refused(setup, f"errors {{\n{line}\n}}") == f"plugin/errors: {error}"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("errors stderr", "Corefile:2 - Error during parsing: invalid log file: stderr"),
        (
            "errors stdout stderr",
            "Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after 'stderr'",
        ),
        ("errors\nerrors", "this plugin can only be used once per Server Block (Corefile:3)"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/errors: {error}"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("i/o timeout$", "read udp: i/o timeout", True),
        ("^timeout", "i/o timeout", False),
        ("(?i)TIMEOUT", "i/o timeout", True),
        ("[[:digit:]]+\\z", "x 12", True),
        ("\\Qa.b\\E", "axb", False),
        ("(a+)+$", "a" * 50_000 + "b", False),
        ("é", "caf\udce9 é", True),
    ],
)
def test_patterns_are_re2(pattern: str, text: str, found: bool) -> None:
    assert Pattern(pattern).is_found_in(text) is found


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0, "0s"),
        (1, "1s"),
        (30, "30s"),
        (1.5, "1.5s"),
        (60, "1m0s"),
        (90.25, "1m30.25s"),
        (3600, "1h0m0s"),
        (0.3, "300ms"),
        (0.0015, "1.5ms"),
        (0.0000025, "2.5µs"),
        (0.000000007, "7ns"),
        (-2, "-2s"),
    ],
)
def test_durations_as_go_writes_them(duration_s: float, text: str) -> None:
    assert duration_text(duration_s) == text
