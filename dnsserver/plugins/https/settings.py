"""What `https` is told in the Corefile."""

from dnsserver.config import Directive, Property
from dnsserver.config.gotext import integer


def connections_from(directive: Directive) -> int | None:
    """The connections that a listener may have open; 0: as many as all encrypted listeners together, None: not said."""
    found: int | None = None
    for occurrence in directive.occurrences:
        if occurrence.arguments:
            raise occurrence.argument_error()
        for line in occurrence.properties:
            if line.text != "max_connections":
                raise line.unknown()
            count = _count(line)
            if found is not None:
                raise line.error("max_connections already defined for this server block", line.name)
            found = count
    return found


def _count(line: Property) -> int:
    token = line.one()
    try:
        count = integer(token.text)
    except ValueError as error:
        raise line.error(f"invalid max_connections value '{token}': {error}", token) from None
    if count < 0:
        raise line.error(f"max_connections must be a non-negative integer: {count}", token)
    return count
