"""The names of `file`, `auto` and `secondary`, for people."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from dnsserver.answering.static import tell
from dnsserver.plugins.plugin import Listing
from dnsserver.plugins.static_zones import ZoneTable
from dnsserver.wire import names
from dnsserver.wire.question import Question
from dnsserver.zone.listing import Listed
from dnsserver.zone.static import StaticZone


def listing_of(
    table: ZoneTable,
    place: Callable[[bytes], str],
    *,
    fallthrough: Sequence[bytes] = (),
    within: Sequence[bytes] = (names.ROOT,),
    read: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    beyond: tuple[str, ...] = (),
) -> Listing:
    """*place*: where the zone with an origin comes from. *fallthrough*, *within*: as for StaticZoneHandler; *read*,
    *beyond*: as for Listing."""

    def listed() -> Iterator[Listed]:
        for origin in table.origins:
            zone = table[origin]
            for name in () if zone is None else zone.names():
                if zone is not None and answered_by(name) == origin:
                    yield from _at(zone, name, place(origin))

    def answered_by(name: bytes) -> bytes | None:
        inside = any(names.is_below(name, each) for each in within)
        return table.origin_of(name) if inside else None

    def answers(question: Question) -> bool:
        origin = answered_by(question.name.lower())
        if origin is None:
            return False
        zone = table[origin]
        if zone is None or not any(names.is_below(question.name.lower(), each) for each in fallthrough):
            return True
        return not tell(zone, question, do=False).missing

    return Listing(listed, beyond, answers=answers, read=read)


def _at(zone: StaticZone, name: bytes, place: str) -> Iterator[Listed]:
    """What is answered with: neither what is below a cut, which is a referral, nor signatures, which go with others."""
    for rtype, rrset in zone.node(name).rrsets.items():
        if tell(zone, Question(name, rtype), do=False).reply.answer:
            yield Listed(zone.origin, tuple(rrset.records(name, zone.origin)), place=place)
