"""Values to text as Go's package fmt writes them [Go 1.25, fmt/print.go, fmt/format.go]."""

import re
from collections.abc import Mapping, Sequence

Value = object

#: Characters. A wider field is more than a record can hold.
WIDTH_MAX = 1_000
_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<verb>.?)", re.DOTALL)


class TooWideError(ValueError):
    """A width or precision beyond WIDTH_MAX."""


def shown(value: Value) -> str:
    """*value* as `%v` writes it."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return _general(value)
        case Mapping():
            inside = " ".join(f"{key}:{shown(value[key])}" for key in sorted(value))
            return f"map[{inside}]"
        case list() | tuple():
            return f"[{' '.join(map(shown, value))}]"
        case _:
            return str(value)


def sprint(values: Sequence[Value]) -> str:
    """Blanks stand between values of which neither is a string."""
    found: list[str] = []
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            found.append(" ")
        found.append(shown(value))
    return "".join(found)


def sprintln(values: Sequence[Value]) -> str:
    return " ".join(map(shown, values)) + "\n"


def sprintf(form: str, values: Sequence[Value]) -> str:
    """What goes wrong stands in the text, as in Go: `%!d(string=a)`. Raises TooWideError."""
    left = iter(values)
    used = 0

    def written(found: re.Match[str]) -> str:
        nonlocal used
        verb = found["verb"]
        if verb == "%":
            return "%"
        if not verb:
            return "%!(NOVERB)"
        if used == len(values):
            return f"%!{verb}(MISSING)"
        used += 1
        return _field(found, verb, next(left))

    text = _VERB.sub(written, form)
    if used < len(values):
        extra = ", ".join(f"{_type(value)}={shown(value)}" for value in left)
        text += f"%!(EXTRA {extra})"
    return text


def _field(found: re.Match[str], verb: str, value: Value) -> str:
    flags = found["flags"]
    width = _size(found["width"]) or 0
    precision = None if found["precision"] is None else _size(found["precision"]) or 0
    text = _verb(verb, flags, precision, value)
    if text is None:
        return f"%!{verb}({'<nil>' if value is None else f'{_type(value)}={shown(value)}'})"
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and _zero_padded(value, precision):
        sign = text[:1] if text[:1] in ("+", "-", " ") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _zero_padded(value: Value, precision: int | None) -> bool:
    """An integer with a precision has its zeros already."""
    return not (precision is not None and isinstance(value, int))


def _size(digits: str) -> int | None:
    if len(digits) > len(str(WIDTH_MAX)) or (digits and int(digits) > WIDTH_MAX):
        raise TooWideError(f"width or precision {digits[:20]} is larger than {WIDTH_MAX}")
    return int(digits) if digits else None


def _verb(verb: str, flags: str, precision: int | None, value: Value) -> str | None:
    """None when the verb does not go with the value."""
    if verb == "v":
        if isinstance(value, str) and precision is not None:
            return value[:precision]
        signed = (
            "+" if "+" in flags and type(value) in (int, float) and not str(value).startswith("-") else ""
        )
        return signed + shown(value)
    if verb == "T":
        return _type(value)
    match value:
        case bool():
            return shown(value) if verb == "t" else None
        case int():
            return _integer(verb, flags, precision, value)
        case float():
            return _real(verb, flags, precision, value)
        case str():
            return _string(verb, flags, precision, value)
        case _:
            return shown(value) if verb == "s" and value is not None else None


_DIGITS: Mapping[str, tuple[str, str]] = {
    "d": ("d", ""),
    "b": ("b", "0b"),
    "o": ("o", "0"),
    "O": ("o", ""),
    "x": ("x", "0x"),
    "X": ("X", "0X"),
}


def _integer(verb: str, flags: str, precision: int | None, value: int) -> str | None:
    if verb in ("c", "q", "U"):
        if not 0 <= value < 0xD800 and not 0xE000 <= value <= 0x10FFFF:
            value = 0xFFFD
        return {"c": chr(value), "q": _rune(value), "U": f"U+{value:04X}"}[verb]
    if verb not in _DIGITS:
        return None
    code, prefix = _DIGITS[verb]
    digits = format(abs(value), code)
    if precision is not None:
        digits = digits.rjust(precision, "0")
    prefix = "0o" if verb == "O" else prefix if "#" in flags else ""
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    return sign + prefix + digits


def _rune(value: int) -> str:
    return "'\\''" if value == 0x27 else f"'{_quoted(chr(value))[1:-1]}'" if value != 0x22 else "'\"'"


def _real(verb: str, flags: str, precision: int | None, value: float) -> str | None:
    sign = "+" if "+" in flags else " " if " " in flags else "-"
    if verb in ("g", "G") and precision is None:
        text = _general(value)
        text = text.upper() if verb == "G" else text
        return f"{sign}{text}" if sign != "-" and value >= 0 else text
    if verb in ("e", "E", "f", "F", "g", "G"):
        return format(value, f"{sign}.{6 if precision is None else precision}{verb}")
    return None


def _general(value: float) -> str:
    """The shortest digits that give the value back; an exponent below 1e-4 and from 1e21 on."""
    if value == 0 or 1e-4 <= abs(value) < 1e21:
        text = format(value, "f") if value == int(value) else repr(value)
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{exponent}" if exponent else mantissa


def _string(verb: str, flags: str, precision: int | None, value: str) -> str | None:
    if verb in ("x", "X"):
        octets = value.encode("utf-8", "replace")[:precision]
        text = octets.hex(" ") if " " in flags else octets.hex()
        text = f"0x{text}" if "#" in flags and text else text
        return text.upper() if verb == "X" else text
    if precision is not None:
        value = value[:precision]
    return {"s": value, "q": _quoted(value)}.get(verb)


_QUOTED: Mapping[str, str] = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def _quoted(text: str) -> str:
    def written(character: str) -> str:
        if character in _QUOTED:
            return _QUOTED[character]
        if character.isprintable():
            return character
        code = ord(character)
        if code < 0x80:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return '"' + "".join(map(written, text)) + '"'


_TYPES: Sequence[tuple[type, str]] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float64"),
    (str, "string"),
    (Mapping, "map[string]string"),
    (Sequence, "[]string"),
)


def _type(value: Value) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "<nil>")
