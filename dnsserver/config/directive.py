"""What a plugin reads its settings from, with CoreDNS's messages (coredns-compat.md, sections 1.3, 1.8 and 1.9).

CoreDNS gives some messages a file and line, and some not. Ours always have them: where CoreDNS has none, they stand
in parentheses behind its words.
"""

from __future__ import annotations

from dataclasses import dataclass

from dnsserver.config import gotext
from dnsserver.config.errors import ConfigError
from dnsserver.config.keys import zones_from
from dnsserver.config.lexer import Token, shown
from dnsserver.config.stream import argument_message


@dataclass(frozen=True, slots=True)
class Line:
    """A name and its arguments, as one plugin sees them."""

    plugin: str
    name: Token
    arguments: tuple[Token, ...] = ()

    @property
    def text(self) -> str:
        """The name as plain text."""
        return self.name.text

    @property
    def file(self) -> str:
        """The file that has the name."""
        return self.name.file

    @property
    def line(self) -> int:
        """The line of the name."""
        return self.name.line

    @property
    def texts(self) -> tuple[str, ...]:
        """The arguments as plain text."""
        return tuple(token.text for token in self.arguments)

    @property
    def words(self) -> tuple[str, ...]:
        """The name and the arguments as plain text, for plugins whose lines have no leading name."""
        return (self.name.text, *self.texts)

    def between(self, low: int, high: int | None) -> tuple[Token, ...]:
        """The arguments, if they are *low* to *high* (no upper limit with None)."""
        if len(self.arguments) < low or (high is not None and len(self.arguments) > high):
            raise self.argument_error()
        return self.arguments

    def exactly(self, count: int) -> tuple[Token, ...]:
        """The arguments, if they are *count*."""
        return self.between(count, count)

    def at_least(self, count: int) -> tuple[Token, ...]:
        """The arguments, if they are *count* or more."""
        return self.between(count, None)

    def at_most(self, count: int) -> tuple[Token, ...]:
        """The arguments, if they are *count* or fewer."""
        return self.between(0, count)

    def no_arguments(self) -> None:
        """Refuse arguments; the message names the first of them, as CoreDNS's does."""
        if self.arguments:
            raise self.argument_error(self.arguments[0])

    def one(self) -> Token:
        """The only argument."""
        return self.exactly(1)[0]

    def integer(
        self, token: Token, low: int | None = None, high: int | None = None, *, function: str = "strconv.Atoi"
    ) -> int:
        """*token* as a decimal integer from *low* to *high*; *function* is the Go function that messages name."""
        try:
            value = gotext.integer(token.text, function)
        except ValueError as error:
            raise self.bare_error(str(error), token) from None
        if (low is None or low <= value) and (high is None or value <= high):
            return value
        limits = [f"at least {low}"] if low is not None else []
        limits += [f"at most {high}"] if high is not None else []
        raise self.bare_error(f"{shown(self.text)}: {value} must be {' and '.join(limits)}", token)

    def duration(self, token: Token) -> float:
        """*token* as a Go duration, in seconds."""
        try:
            return gotext.seconds(token.text)
        except ValueError as error:
            raise self.bare_error(str(error), token) from None

    def zones(self, default: tuple[str, ...], arguments: tuple[Token, ...] | None = None) -> tuple[str, ...]:
        """The arguments as zones (a CIDR as its reverse zones), lower case with final dot; *default* if none."""
        arguments = self.arguments if arguments is None else arguments
        zones: list[str] = []
        for token in arguments:
            try:
                zones += zones_from(token.text)
            except ConfigError as error:
                raise self.bare_error(str(error), token) from None
        return tuple(dict.fromkeys(zones)) if arguments else default

    def error(self, message: str, token: Token | None = None) -> ConfigError:
        """The message with file and line in front, at *token* or else at the end of this line."""
        where = (token or self._last).where
        return ConfigError(f"plugin/{self.plugin}: {where} - Error during parsing: {message}")

    def bare_error(self, message: str, token: Token | None = None) -> ConfigError:
        """The message as CoreDNS has it for errors without place, and ours behind it."""
        return ConfigError(f"plugin/{self.plugin}: {message} ({(token or self._last).where})")

    def argument_error(self, token: Token | None = None) -> ConfigError:
        """Too many or too few arguments; *token* is the last one that was read."""
        token = token or self._last
        hint = "; '}' must start a line" if token.text == "}" else ""
        return self.error(argument_message(token.text) + hint, token)

    def syntax_error(self, expected: str, token: Token | None = None) -> ConfigError:
        """CoreDNS's other form; plugin errors uses it for unknown fields."""
        token = token or self.name
        found = f"Unexpected token '{shown(token.text)}', expecting '{expected}'"
        return ConfigError(f"plugin/{self.plugin}: {token.where} - Syntax error: {found}")

    def unknown(self) -> ConfigError:
        """The error for a name that the plugin does not know."""
        return self.error(f"unknown property '{shown(self.text)}'", self.name)

    @property
    def _last(self) -> Token:
        return self.arguments[-1] if self.arguments else self.name


@dataclass(frozen=True, slots=True)
class Property(Line):
    """One line of a plugin's sub-block."""


@dataclass(frozen=True, slots=True)
class Occurrence(Line):
    """One time that a plugin stands in a block; `arguments` are those before the sub-block."""

    properties: tuple[Property, ...] = ()

    def no_properties(self) -> None:
        """Refuse a sub-block that has lines."""
        if self.properties:
            raise self.argument_error(self.properties[0].name)


@dataclass(frozen=True, slots=True)
class Directive:
    """All occurrences of one plugin in one block, in file order: one set-up reads them all."""

    name: str
    occurrences: tuple[Occurrence, ...]

    def once(self) -> Occurrence:
        """The occurrence of a plugin that may stand in a block only once."""
        if len(self.occurrences) > 1:
            second = self.occurrences[1]
            raise second.bare_error("this plugin can only be used once per Server Block", second.name)
        return self.occurrences[0]

    def last(self) -> Occurrence:
        """The last occurrence, for plugins where it is the one that counts."""
        return self.occurrences[-1]

    def missing_plugin(self) -> ConfigError:
        """The error for a directive that is known but that this program has no plugin for."""
        where = self.occurrences[0].name.where
        return ConfigError(
            f"no action found for directive '{self.name}' with server type 'dns' (missing a plugin?) ({where})"
        )


def occurrence(tokens: tuple[Token, ...]) -> Occurrence:
    """The tokens of one directive, from its name on, as arguments and properties."""
    name, count = tokens[0], 1
    while count < len(tokens) and tokens[count].text != "{" and tokens[count].on_line_of(tokens[count - 1]):
        count += 1
    line = Line(name.text, name, tokens[1:count])
    block = tokens[count:]
    if block and not block[0].on_line_of(tokens[count - 1]):
        raise line.argument_error(block[0])
    return Occurrence(name.text, name, line.arguments, _properties(line, block[1:]))


def _properties(owner: Line, tokens: tuple[Token, ...]) -> tuple[Property, ...]:
    """The lines of a sub-block; *tokens* follow its opening brace."""
    properties, at = [], 0
    while at < len(tokens) and tokens[at].text != "}":
        start = at
        at += 1
        while at < len(tokens) and tokens[at].on_line_of(tokens[at - 1]):
            at += 1
        words = tokens[start:at]
        for token in words:
            if token.text == "{":
                raise owner.argument_error(token)
        properties.append(Property(owner.plugin, words[0], words[1:]))
    if at + 1 < len(tokens):
        raise owner.argument_error(tokens[at + 1])
    return tuple(properties)
