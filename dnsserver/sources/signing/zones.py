"""A zone to the lines of its signed master file (RFC 4035 section 2)."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dnsserver.sources.signing.keys import ZoneKey, decoded
from dnsserver.sources.signing.records import cds_records, nsec_rdata
from dnsserver.wire import names
from dnsserver.wire.codes import Type, type_name
from dnsserver.wire.records import Rdata, Record
from dnsserver.zone.canonical import sort_key
from dnsserver.zone.rrset import RRset
from dnsserver.zone.static import StaticZone, ZoneBuilder

#: Types that signing makes anew.
MADE = frozenset((Type.RRSIG, Type.NSEC, Type.DNSKEY, Type.CDS, Type.CDNSKEY))


class SigningStoppedError(Exception):
    """The caller has no use for the zone any more."""


def unsigned(zone: StaticZone, keys: Sequence[ZoneKey], serial: int) -> StaticZone:
    """*zone* with this serial, the records of *keys*, and without what signing makes."""
    builder = ZoneBuilder(zone.origin)
    soa = zone.soa.records(zone.origin, zone.origin)[0]
    tail = serial.to_bytes(4, "big") + soa.rdata.tail[4:]
    builder.add(replace(soa, rdata=Rdata(soa.rdata.head, soa.rdata.names, tail)))
    for record in zone.records():
        if record.rtype not in MADE:
            builder.add(record)
    for key in keys:
        builder.add(Record(zone.origin, Type.DNSKEY, soa.ttl, key.rdata))
        for record in cds_records(key, zone.origin, soa.ttl):
            builder.add(record)
    return builder.build()


def signed_lines(
    zone: StaticZone, keys: Sequence[ZoneKey], span: tuple[int, int], stopped: Callable[[], bool] = bool
) -> Iterator[str]:
    """The records of *zone* (as `unsigned` gives it) with NSEC and RRSIG records, the SOA record first.

    *span*: the Unix seconds from and until which signatures are valid. Takes some 0.3 ms for each RRset, in a thread;
    *stopped* is asked in between. Raises SigningStoppedError.
    """
    chain = [name for name in sorted(zone.names(), key=sort_key) if _has_proof(zone, name)]
    for place, name in enumerate(chain):
        if stopped():
            raise SigningStoppedError
        time.sleep(0)
        following = chain[(place + 1) % len(chain)]
        yield from _lines_at(zone, name, following, keys, span)
    for name in zone.names():
        if _has_proof(zone, name):
            continue
        for rrset in zone.node(name).rrsets.values():
            yield from map(line_of, rrset.records(name, zone.origin))


def line_of(record: Record) -> str:
    """The record as a line of a master file."""
    rdata = record.rdata
    octets = rdata.head + b"".join(rdata.names) + rdata.tail
    text = decoded(record.rtype, octets).to_text()
    return f"{names.to_text(record.owner)}\t{record.ttl}\tIN\t{type_name(record.rtype)}\t{text}"


def _lines_at(
    zone: StaticZone, name: bytes, following: bytes, keys: Sequence[ZoneKey], span: tuple[int, int]
) -> Iterator[str]:
    rrsets = dict(zone.node(name).rrsets)
    cut = Type.NS in rrsets and name != zone.origin
    types = {*rrsets, Type.NSEC, Type.RRSIG}
    if cut:
        types &= {Type.NS, Type.DS, Type.NSEC, Type.RRSIG}
    rrsets[Type.NSEC] = RRset(Type.NSEC, min(zone.soa.ttl, zone.times[3]), (nsec_rdata(following, types),))
    for rtype in sorted(rrsets, key=lambda each: each != Type.SOA):
        rrset = rrsets[rtype]
        yield from map(line_of, rrset.records(name, zone.origin))
        if cut and rtype not in (Type.DS, Type.NSEC):
            continue
        for key in keys:
            made = key.sign(name, rtype, rrset.ttl, rrset.rdatas, zone.origin, span)
            yield line_of(Record(name, Type.RRSIG, rrset.ttl, made))


def _has_proof(zone: StaticZone, name: bytes) -> bool:
    """Whether the zone has authority over *name*, and records there: no glue, nothing behind a cut or a DNAME."""
    if not zone.node(name).rrsets:
        return False
    for suffix in names.suffixes(name):
        if len(suffix) < len(zone.origin):
            break
        if suffix != name and zone.is_cut(suffix):
            return False
    return True
