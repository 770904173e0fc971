"""Questions from text: lines of the `log` plugin, and files with a name and a type on each line."""

import re
from collections.abc import Iterable, Iterator

from dnsserver.wire import names
from dnsserver.wire.codes import type_number
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.question import Question

#: What the formats `common` and `combined` have in quotes: "A IN nginx.default.svc.cluster.local. udp 58 false 1232".
_LOGGED = re.compile(r'"(?P<type>[A-Z0-9]+) (?P<class>[A-Z0-9]+) (?P<name>\S+) \S+ \d+ (?:true|false) \d+"')
_COMMENTS = ("#", ";")
#: Characters of a line that are shown.
SHOWN = 80


class TextError(ValueError):
    """Text that names no questions: where, what is wrong, and what it should be."""


def logged_questions(lines: Iterable[str]) -> Iterator[Question]:
    """The questions of log lines, whatever stands around them; other lines are passed over, and so are other classes
    than IN."""
    for line in lines:
        found = _LOGGED.search(line)
        if found is None or found["class"] != "IN":
            continue
        rtype = type_number(found["type"])
        try:
            name = names.from_text(found["name"])
        except NameTextError:
            continue  # a name that the log has cut
        if rtype is not None:
            yield Question(name, rtype)


def listed_questions(lines: Iterable[str], file: str) -> Iterator[Question]:
    """The questions of lines `NAME TYPE`, as dnsperf reads them; TextError, which names *file*, for other lines."""
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith(_COMMENTS):
            continue
        rtype = type_number(words[1]) if len(words) == 2 else None
        if rtype is None:
            raise TextError(
                f"{file}:{number}: {line.strip()[:SHOWN]!r} is not NAME TYPE, such as `example.com A`"
            )
        try:
            yield Question(names.from_text(words[0]), rtype)
        except NameTextError as error:
            raise TextError(f"{file}:{number}: {error}") from None
