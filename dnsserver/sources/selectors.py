"""Label selectors, in the API's text form: `app=web,tier in (a, b),!canary`.

The grammar is that of k8s.io/apimachinery, labels.Parse, without `<` and `>`, which CoreDNS refuses as well
(it turns the text into a metav1.LabelSelector, which has no such operators).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

#: Characters. Longest label value and longest name part of a label key (apimachinery, validation.go).
MAX_NAME = 63
#: Characters. Longest prefix of a label key, a DNS subdomain (apimachinery, validation.go).
MAX_PREFIX = 253

_TOKEN = re.compile(r"\s*(==|!=|=|!|,|\(|\)|<|>|[^\s=!,()<>]+)")
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MARKS = frozenset(("=", "==", "!=", "!", ",", "(", ")", "<", ">"))


class SelectorError(ValueError):
    """A label selector that cannot be read; the text says what is wrong, where, and how to mend it."""


class Operator(Enum):
    """How a label is tested. NOT_IN and ABSENT hold for objects without the label."""

    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    ABSENT = "!"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One test of one label; `values` is sorted, and empty for EXISTS and ABSENT."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        match self.operator:
            case Operator.IN:
                return self.key in labels and labels[self.key] in self.values
            case Operator.NOT_IN:
                return self.key not in labels or labels[self.key] not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.ABSENT:
                return self.key not in labels

    @property
    def text(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.ABSENT:
                return f"!{self.key}"
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.NOT_IN if len(self.values) == 1:
                return f"{self.key}!={self.values[0]}"
        return f"{self.key} {self.operator.value} ({','.join(self.values)})"


@dataclass(frozen=True, slots=True)
class Selector:
    """An object is selected when every requirement holds."""

    requirements: tuple[Requirement, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def text(self) -> str:
        """What the API takes as the labelSelector parameter."""
        return ",".join(requirement.text for requirement in self.requirements)

    def __str__(self) -> str:
        return self.text


def parse(text: str) -> Selector:
    """*text* to a selector, or a SelectorError."""
    reader = _Reader(text)
    requirements = [_requirement(reader)]
    while reader.peek() == ",":
        reader.take()
        requirements.append(_requirement(reader))
    if reader.peek():
        raise reader.error(f"{reader.peek()!r} is not expected", "separate requirements by commas")
    return Selector(tuple(requirements))


class _Reader:
    """The tokens of a selector, with their places for error texts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = [(found.group(1), found.start(1)) for found in _TOKEN.finditer(text)]
        self._next = 0

    def peek(self) -> str:
        """The next token; "" at the end."""
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._next += 1
        return token

    def error(self, what: str, mend: str) -> SelectorError:
        """An error at the next token."""
        place = self._tokens[self._next][1] if self._next < len(self._tokens) else len(self.text)
        return SelectorError(f"label selector {self.text!r}, character {place + 1}: {what}; {mend}")


def _requirement(reader: _Reader) -> Requirement:
    absent = reader.peek() == "!"
    if absent:
        reader.take()
    key = _key(reader)
    if absent:
        return Requirement(key, Operator.ABSENT)
    match reader.peek():
        case "=" | "==":
            reader.take()
            return Requirement(key, Operator.IN, (_value(reader),))
        case "!=":
            reader.take()
            return Requirement(key, Operator.NOT_IN, (_value(reader),))
        case "in":
            reader.take()
            return Requirement(key, Operator.IN, _values(reader))
        case "notin":
            reader.take()
            return Requirement(key, Operator.NOT_IN, _values(reader))
        case "" | ",":
            return Requirement(key, Operator.EXISTS)
        case other:
            raise reader.error(f"{other!r} is no operator", "use =, ==, !=, in (...) or notin (...)")


def _key(reader: _Reader) -> str:
    token = reader.peek()
    if not token or token in _MARKS:
        found = repr(token) if token else "the end"
        raise reader.error(f"a label key is expected, not {found}", "write for example app=web")
    prefix, slash, name = token.rpartition("/")
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        mend = f"use at most {MAX_NAME} letters, digits, '-', '_', '.', and a letter or digit at both ends"
        raise reader.error(f"{name!r} is no name of a label", mend)
    if slash and (len(prefix) > MAX_PREFIX or not _PREFIX.fullmatch(prefix)):
        raise reader.error(f"{prefix!r} is no prefix of a label key", "use a DNS name in lower case")
    return reader.take()


def _value(reader: _Reader) -> str:
    """A label value; nothing at all is the empty value."""
    token = reader.peek()
    if token in ("", ",", ")"):
        return ""
    if token in _MARKS or len(token) > MAX_NAME or not _NAME.fullmatch(token):
        mend = f"use at most {MAX_NAME} letters, digits, '-', '_', '.', and a letter or digit at both ends"
        raise reader.error(f"{token!r} is no label value", mend)
    return reader.take()


def _values(reader: _Reader) -> tuple[str, ...]:
    if reader.peek() != "(":
        raise reader.error("'(' is expected after in and notin", "write for example app in (web, api)")
    reader.take()
    values = {_value(reader)}
    while reader.peek() == ",":
        reader.take()
        values.add(_value(reader))
    if reader.peek() != ")":
        raise reader.error("')' is expected", "close the list of values, and put commas between them")
    reader.take()
    return tuple(sorted(values))
