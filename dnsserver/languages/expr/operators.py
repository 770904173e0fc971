"""What operators do with two values."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from dnsserver.languages.expr.kinds import (
    NUMBERS,
    EvaluationError,
    ExprError,
    Kind,
    Value,
    a_list,
    a_number,
    a_string,
    kind_of,
    short,
)
from dnsserver.languages.literals import INTEGER_MAX

Operator = Callable[[Value, Value], Value]

#: How tightly they bind; those of one number from the left.
PRECEDENCE: Mapping[str, int] = {
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    **dict.fromkeys(
        ("==", "!=", "<", ">", "<=", ">=", "in", "matches", "contains", "startsWith", "endsWith"), 20
    ),
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
}
#: Those that may have `not` in front.
NEGATABLE = ("in", "matches", "contains", "startsWith", "endsWith")


def _equal(one: Value, other: Value) -> bool:
    """true and 1 are not the same."""
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _contained(one: Value, other: Value) -> bool:
    return any(_equal(one, item) for item in a_list(other))


def _ordered(compare: Callable[[Any, Any], bool]) -> Operator:
    def run(one: Value, other: Value) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return compare(one, other)
        return compare(a_number(one), a_number(other))

    return run


def _sum(one: Value, other: Value) -> Value:
    if isinstance(one, str) and isinstance(other, str):
        short(len(one) + len(other))
        return one + other
    return _fitting(a_number(one) + a_number(other))


def _quotient(one: Value, other: Value) -> float:
    """As floating point numbers have it, also by zero."""
    above, below = float(a_number(one)), float(a_number(other))
    if below:
        return above / below
    return math.nan if above == 0 or math.isnan(above) else math.copysign(math.inf, above)


def _rest(one: Value, other: Value) -> int:
    """With the sign of *one*, as in Go."""
    if type(one) is not int or type(other) is not int:
        raise EvaluationError(f"invalid operation: {kind_of(one).value} % {kind_of(other).value}")
    if other == 0:
        raise EvaluationError("integer divide by zero")
    return int(math.copysign(abs(one) % abs(other), one))


def _fitting(value: int | float) -> int | float:
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise EvaluationError("integer overflow")
    return value


OPERATORS: Mapping[str, Operator] = {
    "==": _equal,
    "!=": lambda one, other: not _equal(one, other),
    "<": _ordered(operator.lt),
    ">": _ordered(operator.gt),
    "<=": _ordered(operator.le),
    ">=": _ordered(operator.ge),
    "in": _contained,
    "contains": lambda one, other: a_string(other) in a_string(one),
    "startsWith": lambda one, other: a_string(one).startswith(a_string(other)),
    "endsWith": lambda one, other: a_string(one).endswith(a_string(other)),
    "+": _sum,
    "-": lambda one, other: _fitting(a_number(one) - a_number(other)),
    "*": lambda one, other: _fitting(a_number(one) * a_number(other)),
    "/": _quotient,
    "%": _rest,
}


def result(name: str, one: Kind, other: Kind) -> Kind:
    """The kind that *name* gives for these. Raises ExprError when they do not go with it or with each other."""
    alike = one.fits(other) or one is Kind.NIL or other is Kind.NIL or (one in NUMBERS and other in NUMBERS)
    numbers = one.fits(*NUMBERS) and other.fits(*NUMBERS)
    strings = one.fits(Kind.STRING) and other.fits(Kind.STRING)
    kind, right = Kind.TRUTH, alike
    match name:
        case "and" | "&&" | "or" | "||":
            right = one.fits(Kind.TRUTH) and other.fits(Kind.TRUTH)
        case "==" | "!=":
            pass
        case "<" | ">" | "<=" | ">=":
            right = numbers or strings
        case "in":
            right = other.fits(Kind.LIST)
        case "matches" | "contains" | "startsWith" | "endsWith":
            right = strings
        case "+":
            right = numbers or strings
            kind = Kind.STRING if Kind.STRING in (one, other) else _number(one, other)
        case "%":
            right, kind = one.fits(Kind.INTEGER) and other.fits(Kind.INTEGER), Kind.INTEGER
        case _:
            right, kind = numbers, Kind.FLOAT if name == "/" else _number(one, other)
    if not right:
        raise ExprError(f"invalid operation: {name} (mismatched types {one.value} and {other.value})")
    return kind


def _number(one: Kind, other: Kind) -> Kind:
    if Kind.ANY in (one, other):
        return Kind.ANY
    return Kind.FLOAT if Kind.FLOAT in (one, other) else Kind.INTEGER
