"""What `timeouts` is told in the Corefile."""

from dataclasses import replace

from dnsserver.config import Directive, Property, Token
from dnsserver.config.gotext import duration_text, integer, nanoseconds
from dnsserver.transports.limits import StreamTimeouts

#: Seconds. What may be given (coredns-compat.md, section 3.11).
SHORTEST_S, LONGEST_S = 1.0, 86_400.0
#: How the Corefile says "any number".
UNLIMITED = -1


def timeouts_from(directive: Directive) -> StreamTimeouts:
    """All lines of all occurrences, the last of a kind counts."""
    found = StreamTimeouts()
    for occurrence in directive.occurrences:
        if occurrence.arguments:
            raise occurrence.argument_error()
        for line in occurrence.properties:
            found = _changed(found, line)
        if not occurrence.properties:
            raise occurrence.error("timeouts block with no timeouts specified")
    return found


def _changed(found: StreamTimeouts, line: Property) -> StreamTimeouts:
    token = line.one()
    if line.text == "maxtcpqueries":
        return replace(found, questions=_questions(token, line))
    time_s = _seconds(token, line)
    match line.text:
        case "read":
            return replace(found, read_s=time_s)
        case "write":
            return replace(found, write_s=time_s)
        case "idle":
            return replace(found, idle_s=time_s)
        case _:
            raise line.error(f"unknown option: '{line.text}'", line.name)


def _questions(token: Token, line: Property) -> int:
    """0 for any number."""
    try:
        count = integer(token.text, "strconv.Atoi")
    except ValueError as error:
        raise line.error(f"invalid value for maxtcpqueries '{token}': {error}", token) from None
    if count == 0 or count < UNLIMITED:
        raise line.error(
            f"maxtcpqueries provided '{count}' needs to be -1 (unlimited) or a positive integer", token
        )
    return max(0, count)


def _seconds(token: Token, line: Property) -> float:
    """A duration; a bare number is seconds."""
    text = token.text
    try:
        found = nanoseconds(f"{text}s" if text.lstrip("+-").isdecimal() else text)
    except ValueError:
        raise line.error(f"failed to parse duration '{text}'", token) from None
    if not SHORTEST_S <= found / 1e9 <= LONGEST_S:
        raise line.error(
            f"timeout provided '{duration_text(found / 1e9)}' needs to be between 1 second and 24 hours",
            token,
        )
    return found / 1e9
