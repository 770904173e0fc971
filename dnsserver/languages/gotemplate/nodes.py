"""A template taken apart. Pipelines are calls: `a | f b` is `f b a`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Dot:
    """The value at hand: the data, or the item of the `range` or `with` around."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`name` with its dollar; `$` alone is the data."""

    name: str


@dataclass(frozen=True, slots=True)
class Field:
    base: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """Of a built-in function."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MethodCall:
    base: Expression
    name: str
    arguments: tuple[Expression, ...]


Expression = Literal | Dot | Variable | Field | Call | MethodCall


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    value: Expression


@dataclass(frozen=True, slots=True)
class Set:
    """A variable's first value, or another for one that exists."""

    name: str
    value: Expression
    declares: bool


@dataclass(frozen=True, slots=True)
class If:
    """`variable` gets the value, if it is not empty; with `moves_dot`, this is `with`."""

    value: Expression
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    variable: str = ""
    moves_dot: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """`key` and `item` are variables, or empty."""

    value: Expression
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    key: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Jump:
    """Out of the `range` around, or on to its next item."""

    leaves: bool


Node = Text | Output | Set | If | Range | Jump
