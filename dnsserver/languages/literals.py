"""Quoted strings and numbers as Go and expr-lang write them."""

import re
import string

_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{3}|.)", re.DOTALL)
_PLAIN = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "'": "'",
}
#: The largest integer of Go's int.
INTEGER_MAX = 2**63 - 1


def unquoted(text: str) -> str:
    """The string that *text*, with its quotes, stands for. Raises ValueError for an escape that there is not."""
    return text[1:-1] if text[0] == "`" else _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    body = found[0][1:]
    if body[0] in "xuU" and len(body) > 1:
        code = int(body[1:], 16)
    elif body[0] in string.octdigits and len(body) > 1:
        code = int(body, 8)
    elif body in _PLAIN:
        return _PLAIN[body]
    else:
        raise ValueError(f"unknown escape sequence \\{body}")
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError(f"escape sequence \\{body} is no character")
    return chr(code)


def number(text: str) -> int | float:
    """The number that *text* is: `42`, `-1`, `0x2a`, `0b10`, `0o17`, `017`, `1_000`, `1.5e3`. Raises ValueError."""
    plain = text.replace("_", "").lstrip("+")
    digits = plain.lstrip("-").lower()
    if digits.startswith(("0x", "0b", "0o")):
        value = int(plain, 0)
    elif len(digits) > 1 and digits[0] == "0" and digits.isdigit():
        value = int(plain, 8)
    elif digits.isdigit():
        value = int(plain)
    else:
        return float(plain)
    if abs(value) > INTEGER_MAX:
        raise ValueError(f"{text} is larger than {INTEGER_MAX}")
    return value
