"""Snippets and imported files (coredns-compat.md, section 1.4)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dnsserver.config import files
from dnsserver.config.environment import Environment
from dnsserver.config.errors import ConfigError
from dnsserver.config.lexer import Token, lex
from dnsserver.config.stream import MAX_TOKENS, TokenStream

#: Imports of snippets in one configuration (CoreDNS's maxSnippetExpansions): stops snippets that import each other.
MAX_SNIPPET_IMPORTS = 10_000
#: Imports of files or patterns in one configuration (CoreDNS's maxFileExpansions): stops files that import each other.
MAX_FILE_IMPORTS = 100_000
#: Files that import each other in a row. Nobody nests so deep, and a file that imports itself is found at once.
MAX_FILE_DEPTH = 100


@dataclass(slots=True)
class Imports:
    """Puts the tokens of snippets and files in the place of `import` lines."""

    stream: TokenStream
    environment: Environment
    main_file: str
    directory: Path
    warnings: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    _snippets: dict[str, tuple[Token, ...]] = field(default_factory=dict)
    _lexed: dict[Path, tuple[Token, ...]] = field(default_factory=dict)
    _snippet_imports: int = 0
    _file_imports: int = 0
    #: How many imports led to each copy of a text; copy 0 is the main file.
    _depths: list[int] = field(default_factory=lambda: [0])

    def define(self, name: str, body: Sequence[Token]) -> None:
        """Remember the snippet *name*; its variables are replaced at each use."""
        for number, token in enumerate(body[:-1]):
            starts_line = number == 0 or not token.on_line_of(body[number - 1])
            if starts_line and token.text == "import" and self.environment.expand(body[number + 1]) == name:
                raise self._too_many_snippets()
        self._snippets[name] = tuple(body)

    def is_defined(self, name: str) -> bool:
        """True if a snippet has that name already."""
        return name in self._snippets

    def run(self) -> None:
        """Replace the import whose word `import` is current."""
        if not self.stream.advance_on_line():
            raise self.stream.argument_error()
        wanted = self.environment.expand(self.stream.current)
        if not wanted:
            raise self.stream.error("Import requires a non-empty filepath")
        if self.stream.advance_on_line():
            raise self.stream.error("Import takes only one argument (glob pattern or file)")
        body = self._snippet(wanted) if wanted in self._snippets else self._file_tokens(wanted)
        self.stream.replace_import(body)

    def _snippet(self, name: str) -> list[Token]:
        if self._snippet_imports >= MAX_SNIPPET_IMPORTS:
            raise self._too_many_snippets()
        self._snippet_imports += 1
        return self._copied(self._snippets[name])

    def _file_tokens(self, wanted: str) -> list[Token]:
        for reached, limit in ((self._file_imports, MAX_FILE_IMPORTS), (self._depth(), MAX_FILE_DEPTH)):
            if reached >= limit:
                reason = f"maximum file import depth ({limit}) exceeded"
                raise self.stream.error(f"{reason}; look for a file that imports itself")
        self._file_imports += 1
        tokens: list[Token] = []
        for path in self._matches(wanted):
            tokens += self._copied(self._lex_file(path))
        return tokens

    def _depth(self) -> int:
        return self._depths[self.stream.current.copy]

    def _copied(self, tokens: Sequence[Token]) -> list[Token]:
        number = len(self._depths)
        self._depths.append(self._depth() + 1)
        # Not `replace`, which is four times slower; a configuration may have a million of these.
        return [Token(token.text, token.file, token.line, token.end_line, number) for token in tokens]

    def _matches(self, wanted: str) -> list[Path]:
        pattern = os.path.normpath(self._base() / wanted)
        if pattern.count("*") > 1 or pattern.count("?") > 1 or ("[" in pattern and "]" in pattern):
            raise self.stream.error(
                f"Glob pattern may only contain one wildcard (*), but has others: {pattern}"
            )
        if "[" in pattern:
            raise self.stream.error(f"Failed to use import pattern {wanted}: syntax error in pattern")
        try:
            matches = files.glob(pattern)
        except files.UnreadableError as error:
            raise self.stream.error(f"Failed to use import pattern {wanted}: {error}") from error
        if not matches and not files.has_wildcard(pattern):
            raise self.stream.error(f"File to import not found: {wanted}")
        if not matches:
            where = self.stream.current.where
            self.warnings.append(f"No files matching import glob pattern: {wanted} ({where})")
        return matches

    def _base(self) -> Path:
        file = self.stream.current.file
        return self.directory if file == self.main_file else Path(file).parent

    def _lex_file(self, path: Path) -> tuple[Token, ...]:
        if path not in self._lexed:
            try:
                text = files.read_text(path, regular_only=True)
            except files.UnreadableError as error:
                raise self.stream.error(f"Could not import {path}: {error}") from error
            lexed = lex(text, str(path), limit=MAX_TOKENS)
            self.files.append(path)
            self.warnings += lexed.warnings
            self._lexed[path] = lexed.tokens
        return self._lexed[path]

    def _too_many_snippets(self) -> ConfigError:
        return self.stream.error(f"maximum snippet import depth ({MAX_SNIPPET_IMPORTS}) exceeded")
