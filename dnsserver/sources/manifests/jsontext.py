"""JSON text to documents of plain values, with the lines of a List's items.

JSON could be read as YAML too; this is ten times as quick.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from dnsserver.sources.manifests.yamltext import ITEMS_KEY, Document, TextError

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def documents(text: str) -> Iterator[Document]:
    """The values of *text* (usually one); TextError when it is no JSON."""
    try:
        yield from _Reader(text).documents()
    except json.JSONDecodeError as error:
        raise TextError(error.lineno, f"no JSON: {error.msg}") from error
    except RecursionError as error:
        raise TextError(1, "no JSON that we take: nested too deep") from error
    except ValueError as error:  # a number of thousands of digits
        raise TextError(1, f"no JSON that we take: {error}") from error


class _Reader:
    """Walks the outermost object itself, so that each item is decoded on its own and its line is known."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = 0
        self._line = 1

    def documents(self) -> Iterator[Document]:
        while self._blank() != "":
            line = self._line_here()
            lines: list[int] = []
            value = self._object(lines) if self._blank() == "{" else self._value()
            if value is not None:
                yield Document(line, value, tuple(lines))

    def _object(self, lines: list[int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._at += 1
        if self._blank() == "}":
            self._at += 1
            return found
        while True:
            if self._blank() != '"':
                raise self._error("Expecting property name enclosed in double quotes")
            key = self._value()
            if self._blank() != ":":
                raise self._error("Expecting ':' delimiter")
            self._at += 1
            is_list = self._blank() == "[" and key == ITEMS_KEY
            found[key] = self._array(lines) if is_list else self._value()
            if self._ends("}"):
                return found

    def _array(self, lines: list[int]) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        if self._blank() == "]":
            self._at += 1
            return found
        while True:
            self._blank()
            lines.append(self._line_here())
            found.append(self._value())
            if self._ends("]"):
                return found

    def _ends(self, closing: str) -> bool:
        sign = self._blank()
        if sign not in (",", closing):
            raise self._error("Expecting ',' delimiter")
        self._at += 1
        return sign == closing

    def _value(self) -> Any:
        self._blank()
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def _blank(self) -> str:
        """Go past white space; the character that follows, "" at the end."""
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _error(self, reason: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(reason, self._text, self._at)
