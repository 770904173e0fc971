"""The tokens still to be read, with a cursor, and CoreDNS's parser messages (coredns-compat.md, section 1.9)."""

from __future__ import annotations

from collections.abc import Sequence

from dnsserver.config.errors import ConfigError
from dnsserver.config.lexer import Token, shown, too_large

#: Words in one configuration after all imports. A line of `hosts` has about three words, so this is a file of
#: 300,000 hosts; imports that double each other reach it within a second.
MAX_TOKENS = 1_000_000


class TokenStream:
    """A cursor over tokens; an import takes its own two tokens away and puts others in their place."""

    def __init__(self, tokens: Sequence[Token], file: str) -> None:
        self._file = file
        self._read: list[Token] = []
        self._ahead = list(reversed(tokens))
        self._spare = MAX_TOKENS - len(tokens)

    @property
    def current(self) -> Token:
        """The token under the cursor; an empty one at line 0 before the first."""
        return self._read[-1] if self._read else Token("", self._file, 0)

    def advance(self) -> bool:
        """Go to the next token; False, without moving, behind the last."""
        if not self._ahead:
            return False
        self._read.append(self._ahead.pop())
        return True

    def advance_on_line(self) -> bool:
        """Go to the next token if it is on the line of the current one."""
        if not self._ahead or not self._ahead[-1].on_line_of(self.current):
            return False
        return self.advance()

    def back(self) -> None:
        """Go back by one token."""
        self._ahead.append(self._read.pop())

    def at_line_start(self) -> bool:
        """True if no other token stands before the current one on its line."""
        return len(self._read) < 2 or not self._read[-1].on_line_of(self._read[-2])

    def replace_import(self, tokens: Sequence[Token]) -> None:
        """Put *tokens* in the place of `import X`, whose X is current; the next token is the first of them."""
        self._spare -= len(tokens)
        if self._spare < 0:
            raise too_large(
                self.current.file, self.current.line, f"more than {MAX_TOKENS} words after all imports"
            )
        del self._read[-2:]
        self._ahead.extend(reversed(tokens))

    def error(self, message: str) -> ConfigError:
        """CoreDNS's general message, at the current token."""
        return ConfigError(f"{self.current.where} - Error during parsing: {message}")

    def syntax_error(self, expected: str) -> ConfigError:
        """CoreDNS's message for a missing brace."""
        found = shown(self.current.text)
        return ConfigError(
            f"{self.current.where} - Syntax error: Unexpected token '{found}', expecting '{expected}'"
        )

    def argument_error(self) -> ConfigError:
        """CoreDNS's message for a line with too few words."""
        return self.error(argument_message(self.current.text))


def argument_message(text: str) -> str:
    """The words for a wrong number of arguments, *text* being the last token that was read."""
    if text == "{":
        return "Unexpected token '{', expecting argument"
    return f"Wrong argument count or unexpected line ending after '{shown(text)}'"
