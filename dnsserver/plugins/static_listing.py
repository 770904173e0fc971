"""The names of `file`, `auto` and `secondary`, for people."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

from dnsserver.answering.static import tell
from dnsserver.plugins.plugin import Listing
from dnsserver.plugins.static_zones import Reach
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.question import Question
from dnsserver.zone.listing import Listed
from dnsserver.zone.static import StaticZone


def listing_of(
    reach: Reach,
    place: Callable[[bytes], str],
    unknown: Callable[[bytes], str] = names.to_text,
    read: Callable[[], AbstractAsyncContextManager[None]] | None = None,
) -> Listing:
    """*place*: the file of the zone with an origin, "" if it has none. *unknown*: what to say of one without content.
    *read*: as for Listing."""
    table = reach.table

    def listed() -> Iterator[Listed | None]:
        for origin in table.origins:
            zone = table[origin]
            for name in () if zone is None else zone.names():
                current = table[origin]  # it may be another one meanwhile
                if current is not None and reach.origin_of(name) == origin:
                    yield from _at(current, name, place(origin))
                else:
                    yield None

    def answers(question: Question) -> bool:
        name = question.name.lower()
        origin = reach.origin_of(name)
        if origin is None:
            return False
        zone = table[origin]
        return zone is None or not (reach.falls_through(name) and tell(zone, question, do=False).missing)

    def beyond() -> Iterator[str]:
        for origin in table.origins:
            zone = table[origin]
            if zone is None:
                yield unknown(origin)
            elif Type.DNSKEY in zone.node(origin).rrsets:
                yield f"{names.to_text(origin)} is signed; signatures are not listed."

    return Listing(
        listed, lambda: table.origins, lambda: tuple(beyond()), answers=answers, read=read, by_answering=True
    )


def _at(zone: StaticZone, name: bytes, place: str) -> Iterator[Listed | None]:
    """What clients get to see, referrals included: neither what a CNAME, DNAME or cut hides, nor signatures."""
    for rtype, rrset in zone.node(name).rrsets.items():
        records = tuple(rrset.records(name, zone.origin))
        reply = tell(zone, Question(name, rtype), do=False).reply
        told = {
            record.rdata
            for section in (reply.answer, reply.authority, reply.additional)
            for record in section
            if (record.owner.lower(), record.rtype) == (name, rtype)
        }
        yield Listed(zone.origin, records, place=place) if told == {each.rdata for each in records} else None
