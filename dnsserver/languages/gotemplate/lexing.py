"""A template's text to tokens [Go 1.25, text/template/parse/lex.go]."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_OPEN = "{{"
_SPACE = " \t\r\n"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_COMMENT_CLOSE = re.compile(r"}}|[ \t\r\n]-}}")
_TOKEN = re.compile(
    r"""
    (?P<SPACE>[ \t\r\n]+)
  | (?P<CLOSE>}})
  | (?P<STRING>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
  | (?P<CHARACTER>'(?:[^'\\\n]|\\[^\n]+?)')
  | (?P<NUMBER>[+-]?(?:0[xX][0-9A-Fa-f_]+|0[bB][01_]+|0[oO][0-7_]+
        |(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?))(?![\w.])
  | (?P<FIELD>\.[A-Za-z_]\w*)
  | (?P<DOT>\.)
  | (?P<VARIABLE>\$\w*)
  | (?P<WORD>[A-Za-z_]\w*)
  | (?P<MARK>:=|[=|,()])
    """,
    re.VERBOSE | re.ASCII,
)


class TemplateError(ValueError):
    """The text is no template that can be used."""


class Kind(Enum):
    TEXT = "text"
    CLOSE = "}}"
    STRING = "string"
    CHARACTER = "character"
    NUMBER = "number"
    FIELD = "field"
    DOT = "dot"
    VARIABLE = "variable"
    WORD = "word"
    MARK = "mark"
    END = "end of the template"


@dataclass(frozen=True, slots=True)
class Token:
    """`spaced`: white space stands in front of it."""

    kind: Kind
    text: str
    spaced: bool = False


def tokens(text: str) -> Iterator[Token]:
    """Texts and, for each action, its tokens with CLOSE behind; END at last. Raises TemplateError."""
    place, trims = 0, False
    while True:
        start = text.find(_OPEN, place)
        plain = text[place:] if start < 0 else text[place:start]
        if trims:
            plain = plain.lstrip(_SPACE)
        if start < 0:
            if plain:
                yield Token(Kind.TEXT, plain)
            yield Token(Kind.END, "")
            return
        place = start + len(_OPEN)
        if text[place : place + 1] == "-" and text[place + 1 : place + 2] in tuple(_SPACE):
            plain = plain.rstrip(_SPACE)
            place += 1
        if plain:
            yield Token(Kind.TEXT, plain)
        inside, place, trims = _action(text, place)
        yield from inside


def _action(text: str, place: int) -> tuple[list[Token], int, bool]:
    """The tokens of an action, the place behind it, and whether it trims the text there."""
    after_space = place + len(text[place:]) - len(text[place:].lstrip(_SPACE))
    if text.startswith("/*", after_space):
        return _comment(text, after_space)
    found: list[Token] = []
    spaced = False
    while True:
        if spaced and text.startswith("-}}", place):
            return [*found, Token(Kind.CLOSE, "}}")], place + 3, True
        match = _TOKEN.match(text, place)
        if match is None:
            if place >= len(text):
                raise TemplateError("unclosed action")
            what = "unterminated quoted string" if text[place] in "\"'`" else "unexpected character"
            raise TemplateError(f"{what} in an action: {text[place:][:20]!r}")
        place = match.end()
        name = str(match.lastgroup)
        if name == "SPACE":
            spaced = True
            continue
        found.append(Token(Kind[name], match[0], spaced))
        if name == "CLOSE":
            return found, place, False
        spaced = False


def _comment(text: str, place: int) -> tuple[list[Token], int, bool]:
    comment = _COMMENT.match(text, place)
    if comment is None:
        raise TemplateError("unclosed comment")
    close = _COMMENT_CLOSE.match(text, comment.end())
    if close is None:
        raise TemplateError("comment ends before closing delimiter")
    return [], close.end(), close[0] != "}}"
