"""Zones that a plugin is for, as wire names."""

from collections.abc import Container

from dnsserver.config import Line
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError


def wire_zones(line: Line, zones: tuple[str, ...]) -> tuple[bytes, ...]:
    """*zones*, as `Line.zones` gives them, in lower case and each once. Raises ConfigError at *line*."""
    try:
        return tuple(dict.fromkeys(names.from_text(zone) for zone in zones))
    except NameTextError as error:
        raise line.error(str(error)) from None


def longest(name: bytes, zones: Container[bytes]) -> bytes | None:
    """The longest of *zones* at or above *name* (lower case); None when there is none."""
    return next((suffix for suffix in names.suffixes(name) if suffix in zones), None)
