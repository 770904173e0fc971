"""YAML text to documents of plain values, with their lines [yaml].

Built from libyaml's events rather than by `yaml.load`: it is quicker, keeps lines, counts what aliases stand for
before it costs anything, and reads scalars as Kubernetes does (sigs.k8s.io/yaml): keys are always text, dates are
text, `22:22` is no number, and a key may not stand twice in a mapping.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.cyaml import CSafeLoader
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from dnsserver.sources.manifests.settings import MAX_ALIASED_VALUES, MAX_NESTING

#: Field that makes up half of a dump and says nothing about names.
SKIPPED_KEY = "managedFields"
#: Field of a List that holds the objects.
ITEMS_KEY = "items"

#: Characters. Text longer than this is no number that a manifest could mean.
MAX_NUMBER_LENGTH = 64

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_NUMBER_STARTS = frozenset("-+.0123456789")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)$")
_BASED = re.compile(r"[-+]?0(x[0-9a-fA-F_]+|b[01_]+|o?[0-7_]+)$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_PREFIX = "tag:yaml.org,2002:"
_COLLECTION_TAGS = frozenset({None, "!", _PREFIX + "map", _PREFIX + "seq"})


class TextError(ValueError):
    """Text that is no YAML or JSON, or more of it than we take."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """`item_lines` has the line of each entry of a top-level list `items`."""

    line: int
    value: Any
    item_lines: tuple[int, ...] = ()


def documents(text: str) -> Iterator[Document]:
    """The documents of *text* that are not empty; TextError when it is no YAML."""
    try:
        yield from _Builder(text).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise TextError(mark.line + 1 if mark else 1, f"no YAML: {reason}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise TextError(line, f"no YAML: character #x{error.character:04x}: {error.reason}") from error
    except yaml.YAMLError as error:
        raise TextError(1, f"no YAML: {error}") from error
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise TextError(line, "no YAML: half a character (a lone surrogate)") from error


class _Builder:
    """Values from events. Aliased values are shared, but counted as if they were copied."""

    def __init__(self, text: str) -> None:
        self._next = CSafeLoader(text).get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._aliased = 0
        self._item_lines: list[int] = []

    def documents(self) -> Iterator[Document]:
        while not isinstance(event := self._next(), StreamEndEvent):
            if not isinstance(event, DocumentStartEvent):
                continue
            self._anchors.clear()
            self._item_lines = []
            first = self._next()
            value = self._value(first, 1)
            if value is not None:
                yield Document(_line(first), value, tuple(self._item_lines))

    def _value(self, event: Event | None, depth: int) -> Any:
        self._values += 1
        kind = type(event)
        if kind is ScalarEvent:
            assert isinstance(event, ScalarEvent)
            value: Any = event.value if event.implicit[1] else _scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1)
            return value
        if kind is AliasEvent:
            assert isinstance(event, AliasEvent)
            return self._alias(event)
        assert isinstance(event, CollectionStartEvent)
        return self._collection(event, depth)

    def _alias(self, event: AliasEvent) -> Any:
        found = self._anchors.get(event.anchor or "")
        if found is None:
            raise TextError(
                _line(event), f"no YAML: nothing is called &{event.anchor} before *{event.anchor}"
            )
        value, size = found
        self._values += size
        self._aliased += size
        if self._aliased > MAX_ALIASED_VALUES:
            raise TextError(_line(event), f"the aliases stand for more than {MAX_ALIASED_VALUES} values")
        return value

    def _collection(self, event: CollectionStartEvent, depth: int) -> Any:
        if depth > MAX_NESTING:
            raise TextError(_line(event), f"nested more than {MAX_NESTING} levels deep")
        if event.tag not in _COLLECTION_TAGS:
            raise TextError(_line(event), f"tag {event.tag!r} is not known")
        before = self._values
        value: Any
        value = self._mapping(depth) if isinstance(event, MappingStartEvent) else self._sequence(depth, None)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._values - before + 1)
        return value

    def _sequence(self, depth: int, lines: list[int] | None) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            if lines is not None:
                lines.append(_line(event))
            found.append(self._value(event, depth + 1))
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Any] = []
        while type(event := self._next()) is not MappingEndEvent:
            key = self._key(event)
            if key == "<<" and isinstance(event, ScalarEvent) and event.implicit[0]:
                merged.append((_line(event), self._value(self._next(), depth + 1)))
                continue
            if key in found:
                raise TextError(_line(event), f"key {key!r} stands twice in one mapping")
            value = self._next()
            if key == SKIPPED_KEY:
                self._skip(value)
            elif depth == 1 and key == ITEMS_KEY and type(value) is SequenceStartEvent:
                found[key] = self._sequence(depth + 1, self._item_lines)
            else:
                found[key] = self._value(value, depth + 1)
        for line, value in merged:
            _merge(found, value, line)
        return found

    def _key(self, event: Event | None) -> str:
        if isinstance(event, ScalarEvent):
            if event.anchor:
                self._anchors[event.anchor] = (event.value, 1)
            return event.value
        if isinstance(event, AliasEvent) and isinstance(value := self._alias(event), str):
            return value
        raise TextError(_line(event), "a key must be text; is this a template that is not rendered yet?")

    def _skip(self, event: Event | None) -> None:
        depth = 0
        while True:
            if isinstance(event, CollectionStartEvent):
                depth += 1
            elif isinstance(event, CollectionEndEvent):
                depth -= 1
            if depth == 0:
                return
            event = self._next()


def _line(event: Event | None) -> int:
    mark = event.start_mark if event else None
    return mark.line + 1 if mark else 1


def _merge(into: dict[str, Any], value: Any, line: int) -> None:
    """`<<: *base` or `<<: [*a, *b]`: what is stated wins, then the first of several."""
    for source in value if isinstance(value, list) else [value]:
        if not isinstance(source, dict):
            raise TextError(line, "<< takes a mapping, or a list of mappings")
        for key, item in source.items():
            into.setdefault(key, item)


def _scalar(event: ScalarEvent) -> Any:
    if event.implicit[0] and event.tag is None:
        return _plain(event.value)
    tag, text = event.tag, event.value
    if tag in (None, "!", _PREFIX + "str"):
        return text
    value = _plain(text)
    if (tag, type(value)) in _TAGGED:
        return value
    raise TextError(_line(event), f"tag {tag!r} is not known, or {text!r} is no value for it")


_TAGGED = {
    (_PREFIX + "int", int),
    (_PREFIX + "float", float),
    (_PREFIX + "float", int),
    (_PREFIX + "bool", bool),
    (_PREFIX + "null", type(None)),
}


def _plain(text: str) -> Any:
    """A scalar without quotes: text, unless it reads as null, a truth value or a number (YAML 1.1)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > MAX_NUMBER_LENGTH:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return _based(text.replace("_", ""))
    if _FLOAT.match(text):
        return float(text.replace("_", ""))
    return text


def _based(text: str) -> int | str:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")[1:]
    base = {"x": 16, "b": 2, "o": 8}.get(digits[:1], 8)
    digits = digits.lstrip("xbo") if base != 16 else digits[1:]
    return sign * int(digits, base) if digits else text
