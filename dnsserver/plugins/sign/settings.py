"""What `sign` is told in the Corefile."""

from dataclasses import dataclass
from pathlib import Path

from dnsserver.config import Directive, Occurrence, Property
from dnsserver.plugins.dnssec.settings import read_keys
from dnsserver.sources.signing import ZoneKey
from dnsserver.wire import names

#: Where signed zones go: CoreDNS's, as Corefiles name it in `file`.
FOLDER = Path("/var/lib/coredns")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneToSign:
    """`path` is the zone's file, `signed` that of the signed zone."""

    origin: bytes
    path: Path
    signed: Path
    keys: tuple[ZoneKey, ...]


def zones_to_sign(directive: Directive, zones: tuple[str, ...], directory: Path) -> tuple[ZoneToSign, ...]:
    """All zones of the lines in a block."""
    return tuple(
        zone for occurrence in directive.occurrences for zone in _zones(occurrence, zones, directory)
    )


def _zones(occurrence: Occurrence, zones: tuple[str, ...], directory: Path) -> list[ZoneToSign]:
    file, *rest = occurrence.at_least(1)
    origins = occurrence.zones(zones, tuple(rest))
    keys: list[ZoneKey] = []
    folder = FOLDER
    for line in occurrence.properties:
        match line.text:
            case "key":
                keys += _keys(line, directory)
            case "directory":
                if len(line.arguments) != 1:
                    raise line.bare_error('can only be one argument after "directory"')
                folder = directory / line.arguments[0].text
            case _:
                raise line.unknown()
    return [
        ZoneToSign(
            origin=names.from_text(origin),
            path=directory / file.text,
            signed=folder / f"db.{origin}signed",
            keys=tuple(keys),
        )
        for origin in origins
    ]


def _keys(line: Property, directory: Path) -> list[ZoneKey]:
    """Each key signs everything, so the parent zone has to point at each."""
    if line.texts[:1] == ("directory",):
        raise line.bare_error("directory: not implemented")
    keys = read_keys(line, directory)
    for key, token in zip(keys, line.arguments[1:], strict=True):
        if not key.signs_keys:
            raise line.bare_error(f'DNSKEY in "{token.text}" is not a CSK/KSK', token)
    return keys
