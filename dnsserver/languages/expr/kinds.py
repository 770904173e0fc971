"""Values of expressions, and what is known of them before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

Value = object
#: What a name stands for when an expression is evaluated: a value, or a function of values.
Names = Mapping[str, Value]

#: Characters of any string on the way: what a message can hold (RFC 1035 section 4.2.2).
TEXT_MAX = 65_535
#: Values that predicates look at in one evaluation: some milliseconds.
STEPS_MAX = 10_000


class ExprError(ValueError):
    """The text is no expression that can be used."""


class EvaluationError(ValueError):
    """The expression cannot be evaluated on these values."""


class Kind(Enum):
    STRING = "string"
    INTEGER = "int"
    FLOAT = "float64"
    TRUTH = "bool"
    LIST = "[]interface {}"
    NIL = "nil"
    ANY = "unknown"

    def fits(self, *others: "Kind") -> bool:
        """Whether it is one of *others*, or may turn out to be."""
        return self is Kind.ANY or self in others or Kind.ANY in others


NUMBERS = (Kind.INTEGER, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Signature:
    """The kinds that a function takes and gives."""

    arguments: tuple[Kind, ...]
    result: Kind


class Run:
    """One evaluation: what names stand for, the items of the predicates around, and what it has cost."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.items: list[Value] = []
        self._steps = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise EvaluationError(f"takes more than {STEPS_MAX} steps")


#: An expression, ready to be evaluated.
Code = Callable[[Run], Value]


def kind_of(value: Value) -> Kind:
    match value:
        case None:
            return Kind.NIL
        case bool():
            return Kind.TRUTH
        case int():
            return Kind.INTEGER
        case float():
            return Kind.FLOAT
        case str():
            return Kind.STRING
        case _:
            return Kind.LIST


def a_string(value: Value) -> str:
    if not isinstance(value, str):
        raise EvaluationError(f"{kind_of(value).value} where a string is needed")
    return value


def a_truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError(f"{kind_of(value).value} where a bool is needed")
    return value


def a_list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise EvaluationError(f"{kind_of(value).value} where a list is needed")
    return value


def a_number(value: Value) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EvaluationError(f"{kind_of(value).value} where a number is needed")
    return value


def short(size: int) -> None:
    """Raises EvaluationError for a string that would have more than TEXT_MAX characters."""
    if size > TEXT_MAX:
        raise EvaluationError(f"a string of more than {TEXT_MAX} characters")
