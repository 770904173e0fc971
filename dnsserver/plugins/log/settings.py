"""What `log` is told in the Corefile."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Occurrence, Property
from dnsserver.plugins.log.classes import CLASSES
from dnsserver.plugins.log.formats import COMBINED, COMMON
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which queries are logged, and how."""

    scope: bytes = names.ROOT
    """Names at and below it, in lower case."""
    format: str = COMMON
    """Text with placeholders."""
    classes: frozenset[str] = CLASSES
    """Of replies; all of them by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """The first rule whose scope has the name decides."""

    rules: tuple[Rule, ...]

    @classmethod
    def from_directive(cls, directive: Directive) -> "LogSettings":
        rules: list[Rule] = []
        for occurrence in directive.occurrences:
            classes = _classes(occurrence.properties)
            rules += (replace(rule, classes=classes) for rule in _rules(occurrence))
        return cls(rules=tuple(rules))

    def rule_for(self, name: bytes) -> Rule | None:
        """The rule for *name*, which is in lower case; None: it is not logged."""
        return next((rule for rule in self.rules if names.is_below(name, rule.scope)), None)


def _rules(occurrence: Occurrence) -> list[Rule]:
    """One per scope. A single argument is a scope; the last of several is a format when it has a brace."""
    scopes = list(occurrence.arguments)
    form = COMMON
    if len(scopes) > 1 and "{" in scopes[-1].text:
        form = scopes.pop().text.replace("{common}", COMMON).replace("{combined}", COMBINED)
    rules = []
    for token in scopes:
        try:
            rules.append(Rule(scope=names.from_text(token.text).lower(), format=form))
        except (NameTextError, UnicodeEncodeError) as error:
            raise occurrence.bare_error(f"not a domain name: {error}", token) from None
    return rules or [Rule()]


def _classes(lines: tuple[Property, ...]) -> frozenset[str]:
    """The classes of all lines together; "all" is every class."""
    found: set[str] = set()
    for line in lines:
        if line.text != "class":
            raise line.unknown()
        for token in line.at_least(1):
            if token.text not in CLASSES | {"all"}:
                raise line.bare_error(f"invalid Class: {token.text}", token)
            found.add(token.text)
    return frozenset(found) if found and "all" not in found else CLASSES
