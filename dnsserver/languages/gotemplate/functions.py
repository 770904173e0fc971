"""The functions that templates may call [Go 1.25, text/template/funcs.go]."""

import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dnsserver.languages.gotemplate.printing import TooWideError, Value, sprint, sprintf, sprintln


class ExecutionError(ValueError):
    """The template cannot be run on these values."""


#: Functions of Go's package that are left out, and why.
REFUSED: Mapping[str, str] = {
    "call": "there are no functions among the values",
    "js": "records hold no JavaScript",
}
#: Python takes them in front of digits of this base.
_PREFIXES: Mapping[int, str] = {2: "0b", 8: "0o", 16: "0x"}
_DIGITS = re.compile(r"[0-9a-z]+(?:_[0-9a-z]+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Function:
    """`arguments`: the fewest and the most. `scalar`: what comes out has no parts. `extra`: not of Go's package."""

    run: Callable[[Sequence[Value]], Value]
    arguments: tuple[int, int | None]
    scalar: bool = True
    extra: bool = False


def is_true(value: Value) -> bool:
    """Everything but false, 0, nil and what is empty."""
    return bool(value)


def length(arguments: Sequence[Value]) -> int:
    match arguments[0]:
        case str(text):
            return len(_octets(text))
        case Mapping() | list() | tuple():
            return len(arguments[0])
        case other:
            raise ExecutionError(f"len of {_kind(other)}")


def index(arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    for key in arguments[1:]:
        value = _part(value, key)
    return value


def _part(value: Value, key: Value) -> Value:
    match value:
        case Mapping():
            if not isinstance(key, str):
                raise ExecutionError(f"map index of {_kind(key)}, not a string")
            return value.get(key, "")
        case str() | list() | tuple():
            items: Sequence[Value] = _octets(value) if isinstance(value, str) else value
            if not isinstance(key, int) or isinstance(key, bool):
                raise ExecutionError(f"cannot index with {_kind(key)}")
            if not 0 <= key < len(items):
                raise ExecutionError(f"index out of range: {key}")
            return items[key]
        case _:
            raise ExecutionError(f"can't index {_kind(value)}")


def slice_of(arguments: Sequence[Value]) -> Value:
    value, *bounds = arguments
    if not isinstance(value, str | list | tuple):
        raise ExecutionError(f"can't slice {_kind(value)}")
    items: Sequence[Value] = _octets(value) if isinstance(value, str) else value
    places = [place for place in bounds if isinstance(place, int) and not isinstance(place, bool)]
    if len(places) != len(bounds) or any(not 0 <= place <= len(items) for place in places):
        raise ExecutionError("slice index out of range")
    start, stop = (*places[:2], len(items))[:2] if places else (0, len(items))
    if start > stop:
        raise ExecutionError(f"invalid slice index: {start} > {stop}")
    part = items[start:stop]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def equal(arguments: Sequence[Value]) -> bool:
    """Whether the first is one of the others."""
    first, *others = arguments
    found = False
    for other in others:
        _check_alike(first, other)
        found = found or first == other
    return found


def less(arguments: Sequence[Value]) -> bool:
    first, second = arguments
    _check_alike(first, second)
    if isinstance(first, str) and isinstance(second, str):
        return first < second
    if isinstance(first, int | float) and isinstance(second, int | float) and not isinstance(first, bool):
        return first < second
    raise ExecutionError("invalid type for comparison")


def parse_int(arguments: Sequence[Value]) -> int:
    """strconv.ParseUint: text, base (0: by its prefix), bits."""
    text, base, bits = arguments
    if not isinstance(text, str) or type(base) is not int or type(bits) is not int:
        raise ExecutionError("parseInt needs a string and two integers")
    if not (base == 0 or 2 <= base <= 36):
        raise ExecutionError(f'strconv.ParseUint: parsing "{text}": invalid base {base}')
    if not 0 <= bits <= 64:
        raise ExecutionError(f'strconv.ParseUint: parsing "{text}": invalid bit size {bits}')
    try:
        value = int(_plain_digits(text, base), base)
    except ValueError:
        raise ExecutionError(f'strconv.ParseUint: parsing "{text}": invalid syntax') from None
    if value >= 1 << (bits or 64):
        raise ExecutionError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return value


def _plain_digits(text: str, base: int) -> str:
    """*text*, if it is digits only: Python takes blanks, signs and underscores too. Raises ValueError."""
    if not text.isascii() or not _DIGITS.fullmatch(text) or ("_" in text and base):
        raise ValueError(text)
    if base == 0 and len(text) > 1 and text[0] == "0" and text[1] in "01234567_":
        return f"0o{text[1:]}"  # Go's old form of octal
    if base in _PREFIXES and text.lower().startswith(_PREFIXES[base]):
        raise ValueError(text)
    return text


def _check_alike(one: Value, other: Value) -> None:
    if _kind(one) != _kind(other) or _kind(one) in ("a list", "a map"):
        raise ExecutionError("incompatible types for comparison")


def _kind(value: Value) -> str:
    match value:
        case None:
            return "nil"
        case bool():
            return "a truth value"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case Mapping():
            return "a map"
        case _:
            return "a list"


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _printf(arguments: Sequence[Value]) -> str:
    form, *values = arguments
    if not isinstance(form, str):
        raise ExecutionError(f"printf needs a string, and was given {_kind(form)}")
    try:
        return sprintf(form, values)
    except TooWideError as error:
        raise ExecutionError(str(error)) from None


_HTML = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})

#: `and` and `or` are not here: they look at no more arguments than they have to.
FUNCTIONS: Mapping[str, Function] = {
    "and": Function(lambda values: values[-1], (1, None), scalar=False),
    "or": Function(lambda values: values[-1], (1, None), scalar=False),
    "not": Function(lambda values: not is_true(values[0]), (1, 1)),
    "eq": Function(equal, (2, None)),
    "ne": Function(lambda values: not equal(values), (2, 2)),
    "lt": Function(less, (2, 2)),
    "le": Function(lambda values: less(values) or equal(values), (2, 2)),
    "gt": Function(lambda values: not (less(values) or equal(values)), (2, 2)),
    "ge": Function(lambda values: not less(values), (2, 2)),
    "len": Function(length, (1, 1)),
    "index": Function(index, (1, None), scalar=False),
    "slice": Function(slice_of, (1, 3), scalar=False),
    "print": Function(sprint, (0, None)),
    "println": Function(sprintln, (0, None)),
    "printf": Function(_printf, (1, None)),
    "html": Function(lambda values: sprint(values).translate(_HTML), (0, None)),
    "urlquery": Function(lambda values: urllib.parse.quote_plus(sprint(values), safe="~"), (0, None)),
    "parseInt": Function(parse_int, (3, 3), extra=True),
}
