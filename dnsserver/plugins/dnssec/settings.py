"""What `dnssec` is told in the Corefile."""

from dataclasses import dataclass
from pathlib import Path

from dnsserver.config import Directive, Property
from dnsserver.sources.signing import KeyFileError, ZoneKey, read_key
from dnsserver.wire import names

#: Signatures that are kept; CoreDNS's.
CAPACITY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DnssecSettings:
    """`zones` are signed with `keys`; `capacity`: signed RRsets that are kept."""

    zones: tuple[bytes, ...]
    keys: tuple[ZoneKey, ...] = ()
    capacity: int = CAPACITY

    @classmethod
    def from_directive(
        cls, directive: Directive, zones: tuple[str, ...], directory: Path
    ) -> "DnssecSettings":
        occurrence = directive.once()
        origins = tuple(map(names.from_text, occurrence.zones(zones)))
        keys: list[ZoneKey] = []
        capacity = CAPACITY
        for line in occurrence.properties:
            match line.text:
                case "key":
                    keys += read_keys(line, directory)
                case "cache_capacity":
                    capacity = line.integer(line.at_least(1)[0])
                case _:
                    raise line.unknown()
        for key in keys:
            if not any(names.is_below(zone, key.owner) for zone in origins):
                where = names.to_text(key.owner)
                text = f"key {where} (keyid: {key.tag}) can not sign any of the zones"
                raise occurrence.bare_error(text)
        return cls(zones=origins, keys=tuple(keys), capacity=max(1, capacity))


def read_keys(line: Property, directory: Path) -> list[ZoneKey]:
    """`key file FILE...`."""
    kind, *files = line.at_least(1)
    if kind.text != "file":
        raise line.error(f"keys from '{kind.text}' are not supported: use key file", kind)
    if not files:
        raise line.argument_error()
    try:
        return [read_key(directory / token.text) for token in files]
    except KeyFileError as error:
        raise line.bare_error(str(error)) from None
