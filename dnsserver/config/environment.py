"""Environment variables in tokens: `{$NAME}` and `{%NAME%}` (coredns-compat.md, section 1.2)."""

from __future__ import annotations

from collections.abc import Mapping

from dnsserver.config.errors import ConfigError
from dnsserver.config.lexer import Token

#: Replacements in one token. A value may name further variables; one that names itself would never end.
MAX_REPLACEMENTS = 1_000
#: Characters. What one token may grow to: a megabyte, the size limit of a ConfigMap.
MAX_EXPANDED_LENGTH = 1 << 20

#: Opening and closing marks, in the order in which they are replaced.
_FORMS = (("{%", "%}"), ("{$", "}"))


class Environment:
    """Replaces references by values, and remembers the names that had none."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.warnings: list[str] = []

    def expand(self, token: Token) -> str:
        """The text of *token* with every reference replaced; an unset variable gives the empty text."""
        text = token.text
        for opening, closing in _FORMS:
            if opening in text:
                text = self._replace(token, text, opening, closing)
        return text

    def _replace(self, token: Token, text: str, opening: str, closing: str) -> str:
        for _ in range(MAX_REPLACEMENTS):
            start = text.find(opening)
            end = text.find(closing, start) if start >= 0 else -1
            name = text[start + len(opening) : end] if end >= 0 else ""
            if not name:
                return text
            text = text.replace(opening + name + closing, self._value(token, name))
            if len(text) > MAX_EXPANDED_LENGTH:
                break
        raise ConfigError(
            f"{token.where} - Error during parsing: environment variables in this word do not come to "
            f"an end; check that no variable's value refers to the variable itself"
        )

    def _value(self, token: Token, name: str) -> str:
        value = self._variables.get(name)
        if value is None:
            warning = f"{token.where} - environment variable '{name}' is not set: it is read as empty text"
            if warning not in self.warnings:
                self.warnings.append(warning)
            return ""
        return value
