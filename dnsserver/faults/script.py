"""The text form of faults: one a line, `#` begins a comment.

drop           name=*.shop.svc.cluster.local type=AAAA nth=1-2
delay 300ms    client=10.244.0.0/16 probability=0.25
rcode SERVFAIL name=db.default.svc.cluster.local nth=1
truncate       protocol=udp
wrong-id       probability=0.01
cut 20         nth=1
"""

import re
from collections.abc import Sequence

from dnsserver.config import seconds
from dnsserver.faults.fault import Fault, FaultError, Kind, When, made, rcode

#: Faults of one script: each query is held against all of them.
FAULTS_MAX = 1_000

_NTH = re.compile(r"(?P<first>\d{1,9})(?P<span>-)?(?P<last>\d{1,9})?")
_KINDS = {kind.value: kind for kind in Kind}


def read_script(text: str, origin: str = "<faults>") -> tuple[Fault, ...]:
    """The faults of a script. Raises FaultError with *origin*, line and how to mend it."""
    found: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            found.append(_fault(words))
        except FaultError as error:
            raise FaultError(f"{origin}:{number}: {error}") from None
        if len(found) > FAULTS_MAX:
            raise FaultError(f"{origin}:{number}: more than {FAULTS_MAX} faults: put some together")
    return tuple(found)


def _fault(words: Sequence[str]) -> Fault:
    kind = _KINDS.get(words[0])
    if kind is None:
        raise FaultError(f"unknown fault {words[0]!r}: give one of {', '.join(_KINDS)}")
    arguments = [word for word in words[1:] if "=" not in word]
    when = _when([word for word in words[1:] if "=" in word])
    wanted = 1 if kind in (Kind.DELAY, Kind.RCODE, Kind.CUT) else 0
    if len(arguments) != wanted:
        example = {Kind.DELAY: "delay 300ms", Kind.RCODE: "rcode SERVFAIL", Kind.CUT: "cut 20"}
        raise FaultError(
            f"{kind.value} takes {wanted or 'no'} argument{'s' * (wanted != 1)},"
            f" as in `{example.get(kind, kind.value)}`; conditions are written key=value"
        )
    match kind:
        case Kind.DELAY:
            return made(kind, when, delay_s=_seconds(arguments[0]))
        case Kind.RCODE:
            return rcode(_rcode(arguments[0]), **when)
        case Kind.CUT:
            when["protocol"] = when.get("protocol", "tcp")
            return made(kind, when, octets=_whole(arguments[0], "cut"))
        case _:
            return made(kind, when)


def _when(words: Sequence[str]) -> When:
    when: When = {}
    for word in words:
        key, _, value = word.partition("=")
        if key in when:
            raise FaultError(f"{key} stands twice: once is enough")
        match key:
            case "name" | "type" | "client" | "protocol" if value:
                when[key] = value
            case "nth":
                when["nth"] = _nth(value)
            case "probability":
                when["probability"] = _share(value)
            case _:
                known = ", ".join(When.__annotations__)
                raise FaultError(f"{word!r} is no condition: give one of {known}, with =value")
    return when


def _nth(text: str) -> tuple[int, int]:
    found = _NTH.fullmatch(text)
    if found is None:
        raise FaultError(f"nth={text}: count from 1, as in nth=2, nth=1-3 or nth=4-")
    first = int(found["first"])
    return first, int(found["last"] or 0) if found["span"] else first


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise FaultError(f"probability={text}: give a number from 0 to 1") from None


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except ValueError:
        raise FaultError(f"delay {text}: give a time with its unit, as 300ms or 1.5s") from None


def _rcode(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else text


def _whole(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise FaultError(f"{what} {text}: give a number of octets")
    return int(text)
