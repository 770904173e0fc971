"""Corefile text to tokens (coredns-compat.md, section 1.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from dnsserver.config.errors import ConfigError

#: What separates tokens: Unicode's White_Space property. `str.isspace` also takes U+001C..U+001F, which Go does not.
BLANKS = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {
    chr(c) for c in range(0x2000, 0x200B)
}
#: Characters. How much of a token a message shows; a forgotten quote makes a token of the rest of the file.
SHOWN_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Token:
    """One word, where it stood, and which copy of its text it belongs to.

    `end_line` exceeds `line` when a quoted word holds line breaks. `copy` is 0 in the file that was loaded and
    another number for each import, so that two imports of one line stay two lines.
    """

    text: str
    file: str
    line: int
    end_line: int = 0
    copy: int = 0

    def __str__(self) -> str:
        return self.text

    @property
    def where(self) -> str:
        """`FILE:LINE`, as messages have it."""
        return f"{self.file}:{self.line}"

    def on_line_of(self, previous: Token) -> bool:
        """True if *previous* ends on the line where this token starts."""
        same_text = self.copy == previous.copy and self.file == previous.file
        return same_text and self.line == max(previous.line, previous.end_line)


@dataclass(frozen=True, slots=True)
class Lexed:
    """The tokens of one text, and what its author should hear about it."""

    tokens: tuple[Token, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Lexer:
    text: str
    file: str
    limit: int
    at: int = 0
    line: int = 1
    tokens: list[Token] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def run(self) -> Lexed:
        if self.text.startswith("\ufeff"):
            self.at = 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in BLANKS:
                self.line += char == "\n"
                self.at += 1
            elif char == "#":
                self._skip_comment()
            elif char == '"':
                self._quoted()
            else:
                self._bare()
        return Lexed(tuple(self.tokens), tuple(self.warnings))

    def _add(self, text: str, start_line: int) -> None:
        if len(self.tokens) >= self.limit:
            raise too_large(self.file, start_line, f"more than {self.limit} words")
        self.tokens.append(Token(text, self.file, start_line, self.line))

    def _skip_comment(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    def _bare(self) -> None:
        start = self.at
        while (
            self.at < len(self.text) and self.text[self.at] != "#" and not self._ends_bare(self.text[self.at])
        ):
            self.at += 1
        word = self.text[start : self.at].replace("\r", "")
        self._add(word, self.line)
        if self.at < len(self.text) and self.text[self.at] == "#":
            self._warn(
                f"'#' directly behind '{shown(word)}' starts a comment that ends at the next blank; put a blank "
                f"before the '#', or double quotes around the word if the '#' belongs to it"
            )
            self._skip_to_blank()

    def _skip_to_blank(self) -> None:
        # CoreDNS forgets the comment with the word that it cuts, and goes on at the next blank of the line.
        while self.at < len(self.text) and not self._ends_bare(self.text[self.at]):
            self.at += 1

    @staticmethod
    def _ends_bare(char: str) -> bool:
        # A carriage return is dropped wherever it stands, so it does not split a word.
        return char in BLANKS and char != "\r"

    def _quoted(self) -> None:
        start_line, parts = self.line, []
        self.at += 1
        while True:
            end = self.text.find('"', self.at)
            piece = self.text[self.at :] if end < 0 else self.text[self.at : end]
            self.line += piece.count("\n")
            self.at = len(self.text) if end < 0 else end + 1
            escaped = end >= 0 and _ends_with_escape(piece)
            parts.append(piece[:-1] + '"' if escaped else piece)
            if not escaped:
                break
        if end < 0:
            self._warn(
                "the double quote that opens here is never closed: the rest of the file is one word; "
                'close it with "',
                start_line,
            )
        word = "".join(parts)
        if end >= 0 or word:
            self._add(word, start_line)

    def _warn(self, message: str, line: int = 0) -> None:
        self.warnings.append(f"{self.file}:{line or self.line} - {message}")


def _ends_with_escape(piece: str) -> bool:
    """True if an odd number of backslashes stands before the quote: `\\\\"` closes, `\\"` does not."""
    return (len(piece) - len(piece.rstrip("\\"))) % 2 == 1


def shown(text: str) -> str:
    """*text*, cut to what a message can hold."""
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "..."


def too_large(file: str, line: int, what: str) -> ConfigError:
    """The error for input beyond our own limits."""
    return ConfigError(
        f"{file}:{line} - Error during parsing: configuration too large: {what}; "
        f"split it, or look for an import that includes itself"
    )


def lex(text: str, file: str, *, limit: int) -> Lexed:
    """Split *text* into at most *limit* tokens; *file* is only for messages."""
    zero = text.find("\0")
    if zero >= 0:
        line = text.count("\n", 0, zero) + 1
        raise ConfigError(
            f"{file}:{line} - Error during parsing: the text has a null character; "
            f"save the file as UTF-8 (not UTF-16) text"
        )
    return _Lexer(text, file, limit).run()
