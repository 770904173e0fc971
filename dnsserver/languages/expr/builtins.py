"""Functions that every expression may call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dnsserver.languages.expr.kinds import EvaluationError, Kind, Value, a_list, a_string, kind_of, short


@dataclass(frozen=True, slots=True)
class Builtin:
    """`arguments` are the kinds it takes; the last *optional* ones may be left out."""

    run: Callable[[Sequence[Value]], Value]
    arguments: tuple[tuple[Kind, ...], ...]
    result: Kind
    optional: int = 0


def _length(values: Sequence[Value]) -> int:
    value = values[0]
    if isinstance(value, str | list):
        return len(value)
    raise EvaluationError(f"invalid argument for len (type {kind_of(value).value})")


def _trim(values: Sequence[Value]) -> str:
    return a_string(values[0]).strip(a_string(values[1]) if len(values) > 1 else None)


def _replace(values: Sequence[Value]) -> str:
    text, old, new = map(a_string, values)
    short(len(text) + (text.count(old)) * len(new))
    return text.replace(old, new)


def _split(values: Sequence[Value]) -> list[Value]:
    text, by = map(a_string, values)
    return list(text.split(by)) if by else list(text)


def _join(values: Sequence[Value]) -> str:
    parts = [a_string(part) for part in a_list(values[0])]
    by = a_string(values[1]) if len(values) > 1 else ""
    short(sum(map(len, parts)) + len(by) * len(parts))
    return by.join(parts)


def _integer(values: Sequence[Value]) -> int:
    value = values[0]
    if isinstance(value, str):
        digits = value.lstrip("+-")
        if len(value) - len(digits) > 1 or not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
            raise EvaluationError(f"invalid operation: int({value[:40]})")
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EvaluationError(f"invalid operation: int({kind_of(value).value})")
    return int(value)


def _string(values: Sequence[Value]) -> str:
    value = values[0]
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "<nil>"
        case list():
            raise EvaluationError("string of a list")
        case _:
            return str(value)


_STRING = (Kind.STRING,)
_ANY = (Kind.ANY,)
BUILTINS: Mapping[str, Builtin] = {
    "len": Builtin(_length, ((Kind.STRING, Kind.LIST),), Kind.INTEGER),
    "lower": Builtin(lambda values: a_string(values[0]).lower(), (_STRING,), Kind.STRING),
    "upper": Builtin(lambda values: a_string(values[0]).upper(), (_STRING,), Kind.STRING),
    "trim": Builtin(_trim, (_STRING, _STRING), Kind.STRING, optional=1),
    "trimPrefix": Builtin(
        lambda values: a_string(values[0]).removeprefix(a_string(values[1])),
        (_STRING, _STRING),
        Kind.STRING,
    ),
    "trimSuffix": Builtin(
        lambda values: a_string(values[0]).removesuffix(a_string(values[1])),
        (_STRING, _STRING),
        Kind.STRING,
    ),
    "hasPrefix": Builtin(
        lambda values: a_string(values[0]).startswith(a_string(values[1])), (_STRING, _STRING), Kind.TRUTH
    ),
    "hasSuffix": Builtin(
        lambda values: a_string(values[0]).endswith(a_string(values[1])), (_STRING, _STRING), Kind.TRUTH
    ),
    "replace": Builtin(_replace, (_STRING, _STRING, _STRING), Kind.STRING),
    "split": Builtin(_split, (_STRING, _STRING), Kind.LIST),
    "join": Builtin(_join, ((Kind.LIST,), _STRING), Kind.STRING, optional=1),
    "int": Builtin(_integer, (_ANY,), Kind.INTEGER),
    "string": Builtin(_string, (_ANY,), Kind.STRING),
}
#: Functions of a list and a predicate, and what they make of how often it was true and how long the list is.
PREDICATES: Mapping[str, Callable[[int, int], bool | int]] = {
    "any": lambda hits, _: hits > 0,
    "all": lambda hits, size: hits == size,
    "none": lambda hits, _: hits == 0,
    "one": lambda hits, _: hits == 1,
    "count": lambda hits, _: hits,
}
