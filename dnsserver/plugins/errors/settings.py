"""What `errors` is told in the Corefile."""

import logging
from dataclasses import dataclass

from dnsserver.config import Directive, Occurrence, Property, Token, seconds
from dnsserver.languages.patterns import Pattern, PatternError

LEVELS = {
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Errors that are counted instead of being logged one by one."""

    period_s: float
    """Seconds from the first such error to the line that tells their number."""
    pattern: Pattern
    level: int = logging.ERROR
    """Of logging: the level of that line."""
    show_first: bool = False
    """Log the first error of each period at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsSettings:
    """What to log besides, and what to log less of."""

    stacktrace: bool = False
    """Log the stack of exceptions in the plugins behind."""
    rules: tuple[Rule, ...] = ()
    """The first one whose pattern matches decides."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "ErrorsSettings":
        occurrence = directive.once()
        _check_target(occurrence)
        stacktrace = False
        rules = []
        for line in occurrence.properties:
            match line.text:
                case "stacktrace":
                    _refuse_words(line.arguments, line)
                    stacktrace = True
                case "consolidate":
                    rules.append(_rule(line))
                case _:
                    raise _unknown(line, line.name)
        return cls(stacktrace=stacktrace, rules=tuple(rules))


def _check_target(occurrence: Occurrence) -> None:
    for token in occurrence.at_most(1):
        if token.text != "stdout":
            raise occurrence.error(f"invalid log file: {token.text}", token)


def _refuse_words(words: tuple[Token, ...], line: Property) -> None:
    if words:
        raise _unknown(line, words[0])


def _unknown(line: Property, token: Token) -> Exception:
    return line.syntax_error(f"Unknown field {token.text}", token)


def _rule(line: Property) -> Rule:
    period, pattern, *options = line.between(2, 4)
    try:
        period_s = seconds(period.text)
        compiled = Pattern(pattern.text)
    except (ValueError, PatternError) as error:
        raise line.error(str(error)) from None
    level, show_first = _options(line, options)
    return Rule(period_s=period_s, pattern=compiled, level=level, show_first=show_first)


def _options(line: Property, options: list[Token]) -> tuple[int, bool]:
    """The level, then `show_first`; both may be missing."""
    level: int | None = None
    show_first = False
    for token in options:
        if token.text in LEVELS:
            if level is not None:
                raise line.error("multiple log levels specified in consolidate", token)
            if show_first:
                raise line.error("log level must come before show_first in consolidate", token)
            level = LEVELS[token.text]
        elif token.text == "show_first":
            show_first = True
        else:
            raise line.error(f"unknown option in consolidate: {token.text}", token)
    return logging.ERROR if level is None else level, show_first
