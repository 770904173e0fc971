"""Tokens to server blocks (coredns-compat.md, sections 1.3 and 1.4)."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from dnsserver.config.directive import Directive, Occurrence, occurrence
from dnsserver.config.environment import Environment
from dnsserver.config.errors import ConfigError
from dnsserver.config.imports import Imports
from dnsserver.config.lexer import Token, shown
from dnsserver.config.stream import TokenStream

#: Share of equal letters (0 to 1) from which a known name is offered for an unknown one: one typo in four letters.
SIMILARITY = 0.7


@dataclass(slots=True)
class RawBlock:
    """A server block whose keys are still text."""

    keys: list[Token]
    opening: Token
    occurrences: dict[str, list[Occurrence]] = field(default_factory=dict)

    @property
    def directives(self) -> tuple[Directive, ...]:
        """One per name, in the order of the first occurrences."""
        return tuple(Directive(name, tuple(found)) for name, found in self.occurrences.items())


@dataclass(slots=True)
class Parser:
    """Reads all blocks; snippets and imports are resolved on the way."""

    stream: TokenStream
    imports: Imports
    environment: Environment
    known: Collection[str]
    warnings: list[str] = field(default_factory=list)

    def blocks(self) -> list[RawBlock]:
        """All server blocks that have a key, in file order."""
        blocks = []
        while self.stream.advance():
            block = self._block()
            if block is not None:
                blocks.append(block)
        return blocks

    def _block(self) -> RawBlock | None:
        opening = self.stream.current
        keys, at_end = self._keys()
        snippet = _snippet_name(keys)
        if snippet is not None:
            self._snippet(snippet, at_end)
            return None
        block = RawBlock(keys, keys[0] if keys else opening)
        if not at_end:
            self._contents(block)
        if keys:
            return block
        if not at_end:
            self.warnings.append(f"{opening.where} - this block has no server key and is not served")
        return None

    def _keys(self) -> tuple[list[Token], bool]:
        """The words before a block, and whether the text ends with them."""
        keys: list[Token] = []
        expecting_another = False
        while True:
            text = self.environment.expand(self.stream.current)
            if text == "import" and self.stream.at_line_start():
                self.imports.run()
                if not self.stream.advance():
                    return keys, self._end_of_keys(expecting_another)
                continue
            if text == "{":
                if expecting_another:
                    raise self.stream.error("Expected another address but had '{' - check for extra comma")
                return keys, False
            if text:
                expecting_another = text.endswith(",")
                keys.append(replace(self.stream.current, text=text.removesuffix(",")))
            if not self.stream.advance():
                return keys, self._end_of_keys(expecting_another)
            if not expecting_another and self.stream.at_line_start():
                return keys, False

    def _end_of_keys(self, expecting_another: bool) -> bool:
        if expecting_another:
            raise self._unexpected_end()
        return True

    def _snippet(self, name: str, at_end: bool) -> None:
        if self.imports.is_defined(name):
            raise self.stream.error(f"redeclaration of previously declared snippet {shown(name)}")
        if at_end or self.stream.current.text != "{":
            raise self.stream.syntax_error("{")
        body: list[Token] = []
        depth = 1
        while self.stream.advance():
            token = self.stream.current
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            if depth == 0:
                self.imports.define(name, body)
                return
            body.append(token)
        raise self.stream.syntax_error("}")

    def _contents(self, block: RawBlock) -> None:
        braced = self.stream.current.text == "{"
        if not braced:
            # A file with a single server may do without braces: this token is its first directive.
            self.stream.back()
        closed = self._directives(block)
        if not braced or closed:
            return
        if self.stream.current.text != "}":
            raise self.stream.syntax_error("}")
        # CoreDNS takes the brace of the last sub-block for the missing one of the server block.
        self.warnings.append(f"{block.opening.where} - the '}}' that closes this server block is missing")

    def _directives(self, block: RawBlock) -> bool:
        """Read up to the closing brace; False if the text ends before."""
        while self.stream.advance():
            text = self.stream.current.text
            if text == "}":
                return True
            if text == "import":
                self.imports.run()
            else:
                found = occurrence(self._directive())
                block.occurrences.setdefault(found.plugin, []).append(found)
        return False

    def _directive(self) -> tuple[Token, ...]:
        """The tokens of the directive whose name is current, up to the end of its line or sub-block."""
        name = self.environment.expand(self.stream.current)
        if name not in self.known:
            raise self._unknown(name)
        tokens = [replace(self.stream.current, text=name)]
        depth = 0
        while self.stream.advance():
            text = self.stream.current.text
            if text == "{":
                depth += 1
            elif depth == 0 and self.stream.at_line_start():
                self.stream.back()
                break
            elif text == "}":
                depth -= 1
            elif text == "import" and self.stream.at_line_start():
                self.imports.run()
                continue
            if depth < 0:
                raise self.stream.error(
                    "Unexpected '}' because no matching opening brace; '}' must start a line"
                )
            tokens.append(self._expanded())
        if depth > 0:
            raise self._unexpected_end()
        return tuple(tokens)

    def _expanded(self) -> Token:
        text = self.environment.expand(self.stream.current)
        return (
            self.stream.current
            if text == self.stream.current.text
            else replace(self.stream.current, text=text)
        )

    def _unknown(self, name: str) -> ConfigError:
        close = difflib.get_close_matches(shown(name), sorted(self.known), n=1, cutoff=SIMILARITY)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return self.stream.error(f"Unknown directive '{shown(name)}'{hint}")

    def _unexpected_end(self) -> ConfigError:
        return self.stream.error("Unexpected EOF")


def _snippet_name(keys: list[Token]) -> str | None:
    """The name of the snippet that *keys* define: one key in parentheses."""
    if len(keys) != 1 or not keys[0].text.startswith("(") or not keys[0].text.endswith(")"):
        return None
    return keys[0].text[1:].removesuffix(")")
