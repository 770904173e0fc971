"""Every name that a zone serves, with its records and the objects that they are made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.records import Record
from dnsserver.zone.objects import Identity
from dnsserver.zone.rrset import EMPTY_NODE, Node
from dnsserver.zone.view import Owner


@dataclass(frozen=True, slots=True)
class Listed:
    """The records of one owner name and type, in the zone `origin` (lower case). `made_of`: the objects that they come
    from, first the one that the name is named after; none for names of the zone itself, and for those that are in a
    file as they are: `place` is where, as `FILE:LINE` or `FILE`."""

    origin: bytes
    records: tuple[Record, ...]
    made_of: tuple[Identity, ...] = ()
    place: str = ""

    @property
    def owner(self) -> bytes:
        return self.records[0].owner

    @property
    def rtype(self) -> int:
        return self.records[0].rtype

    @property
    def ttl(self) -> int:
        """Seconds."""
        return self.records[0].ttl


class Enumerable(Protocol):
    """A zone whose names can be told."""

    @property
    def origin(self) -> bytes: ...

    def owners(self) -> Iterator[Owner]:
        """Every name that has records; a name may come twice, or have none after all."""
        ...

    def node(self, relative: bytes) -> Node | None: ...


def listing(zone: Enumerable, answered: Callable[[bytes], bool] = lambda _name: True) -> Iterator[Listed]:
    """Every RRset of *zone* as it is when it comes, one after another. *answered*: whether questions for a name (lower
    case) get to this zone: another may lie below it."""
    for relative, made_of in zone.owners():
        owner = relative + zone.origin
        if len(owner) > NAME_MAX or not answered(owner.lower()):
            continue
        for rrset in (zone.node(relative.lower()) or EMPTY_NODE).values():
            records = rrset.records(owner, zone.origin)
            if records:
                yield Listed(zone.origin, records, made_of)
