"""Lines of master files: comments out, what stands in parentheses in one line (RFC 1035 section 5.1)."""

import re
from collections.abc import Iterable, Iterator

from dnsserver.sources.zonefile.errors import RecordTextError

#: Octets. One entry, all its lines together: some four times the RDATA of 64 KiB in hexadecimal digits.
ENTRY_MAX = 256 * 1024

_SPECIAL = re.compile(r'[;()"\\]')
#: What a line is made of: quoted strings (they may be open at its end), escapes, one of `();`, and everything else.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?$)|\\.|[();]|[^"\\();]+|["\\]', re.DOTALL)


def cleaned(text: str) -> str:
    """The entry that *text*, of any number of lines, is. Raises RecordTextError when it is several."""
    found = [line for _, line in entries(text.split("\n"))]
    if len(found) > 1:
        raise RecordTextError("more than one record")
    return found[0] if found else ""


def entries(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each entry with the number of its first line, counted from 1; blank ones are left out.

    A blank or tab in front stays: it stands for the owner before. Raises RecordTextError, with the line as
    `EntryError.line`.
    """
    entry: list[str] = []
    size = depth = first = 0
    number = 0
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\r\n")
        if depth == 0:
            if not _SPECIAL.search(line):
                if line and not line.isspace():
                    yield number, line
                continue
            first = number
        text, depth = _without_comment(line, depth, number)
        entry.append(text)
        size += len(text)
        if size > ENTRY_MAX:
            raise EntryError(f"a record of more than {ENTRY_MAX} characters: is a ')' missing?", first)
        if depth == 0:
            whole = " ".join(entry)
            if whole.strip():
                yield first, whole
            entry, size = [], 0
    if depth:
        raise EntryError("'(' is never closed", first)


class EntryError(RecordTextError):
    """`line`: where, counted from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def _without_comment(line: str, depth: int, number: int) -> tuple[str, int]:
    """The line without comment and parentheses, and how many of those are open behind it."""
    kept = []
    for piece in _PIECE.findall(line):
        if piece == ";":
            break
        if piece == "(":
            depth += 1
            kept.append(" ")
        elif piece == ")":
            if depth == 0:
                raise EntryError("')' without '('", number)
            depth -= 1
            kept.append(" ")
        elif piece[0] == '"' and (len(piece) < 2 or piece[-1] != '"'):
            raise EntryError("a quote is never closed", number)
        else:
            kept.append(piece)
    return "".join(kept), depth
