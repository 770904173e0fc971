"""What is different for clients between two configurations, or two clusters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnsserver.runtime.check import configured
from dnsserver.runtime.listing import ServedName
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.wire.codes import Type

#: Server block, by its keys, to its plugins in the order in which they see a query, each as it is configured.
Blocks = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NameChange:
    """The records of one name and type, in one server block; None where there are none. Never both."""

    old: ServedName | None
    new: ServedName | None

    @property
    def either(self) -> ServedName:
        found = self.old or self.new
        if found is None:
            raise RuntimeError("a change of nothing")
        return found


@dataclass(frozen=True, slots=True)
class BlockChange:
    """A server block; None where there is none with these keys."""

    server: str
    old: tuple[str, ...] | None
    new: tuple[str, ...] | None


def blocks(server: ClusterDnsServer) -> Blocks:
    """Of several with the same keys, each with a view, the later ones have a number behind them."""
    found: dict[str, tuple[str, ...]] = {}
    for site in server.sites:
        shown = " ".join(key.shown for key in site.block.keys)
        same = sum(each.split(" #")[0] == shown for each in found)
        lines = (line for plugin in site.plugins for line in configured(site, plugin))
        found[f"{shown} #{same + 1}" if same else shown] = tuple(lines)
    return found


def block_changes(old: Blocks, new: Blocks) -> list[BlockChange]:
    """In the order of *old*, then of *new*."""
    found = (BlockChange(server, old.get(server), new.get(server)) for server in dict.fromkeys((*old, *new)))
    return [change for change in found if change.old != change.new]


def name_changes(old: Iterable[ServedName], new: Iterable[ServedName]) -> list[NameChange]:
    """In the order of *new*, and where it has none, of *old*. Serials of SOA records do not count, nor do the objects
    that the same records are made of."""
    before = {_key(each): each for each in old}
    after = {_key(each): each for each in new}
    found = (NameChange(before.get(key), after.get(key)) for key in dict.fromkeys((*after, *before)))
    changed = [
        each for each in found if each.old is None or each.new is None or _told(each.old) != _told(each.new)
    ]
    return sorted(changed, key=lambda change: change.either.sort_key)


def _key(each: ServedName) -> tuple[str, str, str]:
    return each.name.lower(), each.type, each.server


def _told(each: ServedName) -> tuple[int, tuple[tuple[str, ...], ...]]:
    """What a client sees of it, but for serials: RDATA of SOA is MNAME, RNAME, serial, ..."""
    words = (tuple(value.split()) for value in each.values)
    if each.type == Type.SOA.name:
        words = ((*value[:2], *value[3:]) for value in words)
    return each.ttl, tuple(words)
