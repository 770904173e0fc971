"""What is known of a value before a template runs: enough to refuse fields that there are none of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Plain(Enum):
    """Values without parts that have names."""

    SCALAR = "a string, number or truth value"
    UNKNOWN = "anything"


@dataclass(frozen=True, slots=True)
class Struct:
    """Named parts; `methods` are called, with so many arguments. A value of it is a mapping of these names."""

    name: str
    fields: Mapping[str, Shape] = field(default_factory=dict)
    methods: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape


@dataclass(frozen=True, slots=True)
class MapOf:
    """Keys are strings that are not known before."""

    item: Shape


Shape = Plain | Struct | ListOf | MapOf
