"""What `secondary` is told in the Corefile."""

from dataclasses import dataclass

from dnsserver.config import Directive, Property
from dnsserver.plugins.addresses import Address
from dnsserver.plugins.transfer.settings import host_port
from dnsserver.wire import names


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondarySettings:
    """`primaries`: for each zone those that it is transferred from, in the order in which they are asked.
    `fallthrough`: where names without records are another's business."""

    primaries: dict[bytes, tuple[Address, ...]]
    fallthrough: tuple[bytes, ...] = ()

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...]) -> "SecondarySettings":
        primaries: dict[bytes, tuple[Address, ...]] = {}
        fallthrough: tuple[str, ...] = ()
        for occurrence in directive.occurrences:
            origins = [names.from_text(zone) for zone in occurrence.zones(zones)]
            found: list[Address] = []
            for line in occurrence.properties:
                match line.text:
                    case "transfer":
                        found += _from(line)
                    case "fallthrough":
                        fallthrough = line.zones((".",))
                    case "catalog":
                        raise line.error(
                            "catalog zones are not supported: name each zone in a secondary line"
                        )
                    case _:
                        raise line.unknown()
            if not found:
                raise occurrence.error("secondary zones require a transfer from property")
            for origin in origins:
                primaries[origin] = tuple(dict.fromkeys((*primaries.get(origin, ()), *found)))
        return cls(primaries=primaries, fallthrough=tuple(map(names.from_text, fallthrough)))


def _from(line: Property) -> list[Address]:
    """`transfer from ADDRESS...`."""
    word, *hosts = line.at_least(1)
    if word.text != "from":
        raise line.error(f"unknown property {word.text}", word)
    if not hosts:
        raise line.argument_error()
    for token in hosts:
        if token.text == "*":
            raise line.bare_error("can't use '*' in transfer from", token)
    return [host_port(line, token) for token in hosts]
