"""An expression's text to tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dnsserver.languages.expr.kinds import ExprError

#: Words that are no names. Those of them that are not supported are here too: no variable may be called so.
KEYWORDS = frozenset("and or not in matches contains startsWith endsWith true false nil let if else".split())
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|/\*.*?\*/|//[^\n]*)
  | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
  | (?P<number>(?:0[xX][0-9A-Fa-f_]+|0[bB][01_]+|0[oO][0-7_]+
        |[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?)(?![\w]))
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<mark>\|\||&&|==|!=|<=|>=|\?\?|\?\.|\.\.|\*\*|[-+*/%^<>!?:,.()\[\]{}|\#;=])
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is string, number, name, mark or end; `column` counts from 1."""

    kind: str
    text: str
    column: int

    def error(self, message: str) -> ExprError:
        return ExprError(f"{message} (1:{self.column})")


def tokens(text: str) -> Iterator[Token]:
    """The tokens, and one of kind "end" at last. Raises ExprError."""
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            what = "literal not terminated" if text[place] in "\"'`" else "unrecognized character"
            raise ExprError(f"{what}: {text[place]!r} (1:{place + 1})")
        if found.lastgroup != "space":
            yield Token(str(found.lastgroup), found[0], place + 1)
        place = found.end()
    yield Token("end", "", len(text) + 1)
