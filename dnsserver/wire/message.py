"""Octets of a whole message to values: queries of any shape, and replies of other servers."""

import struct
from dataclasses import dataclass

from dnsserver.wire import names
from dnsserver.wire.codes import Class, Type
from dnsserver.wire.edns import Edns
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record

_FIXED = struct.Struct("!HHLH")
_FIXED_SIZE = _FIXED.size
#: A compression pointer to the name behind the header.
_TO_FIRST = bytes((0xC0, HEADER_SIZE))
_OPT = Type.OPT.value

#: Types whose RDATA holds names that a sender may have compressed (RFC 3597 section 4, RFC 1183, RFC 2782):
#: octets in front of the names, number of names, octets behind them.
_SHAPES: dict[int, tuple[int, int, int]] = {
    Type.NS: (0, 1, 0),
    3: (0, 1, 0),  # MD
    4: (0, 1, 0),  # MF
    Type.CNAME: (0, 1, 0),
    Type.SOA: (0, 2, 20),
    7: (0, 1, 0),  # MB
    8: (0, 1, 0),  # MG
    9: (0, 1, 0),  # MR
    Type.PTR: (0, 1, 0),
    14: (0, 2, 0),  # MINFO
    Type.MX: (2, 1, 0),
    17: (0, 2, 0),  # RP
    18: (2, 1, 0),  # AFSDB
    21: (2, 1, 0),  # RT
    Type.SRV: (6, 1, 0),
    36: (2, 1, 0),  # KX
    Type.DNAME: (0, 1, 0),
}
#: Octets of RDATA that types of fixed size have.
_SIZES: dict[int, int] = {Type.A: 4, Type.AAAA: 16}
#: Classes of records of UPDATE that may have no RDATA, whatever their type (RFC 2136 section 2.4).
_WITHOUT_RDATA = frozenset((Class.ANY, Class.NONE))


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded message. OPT is taken out of `additional` (the first one counts)."""

    header: Header
    questions: tuple[Question, ...]
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    edns: Edns | None

    @classmethod
    def decode(cls, octets: bytes, header: Header | None = None) -> "Message":
        """Raises WireError for anything that is no well-formed message. Octets behind the message are ignored.

        *header* is that of *octets*, where the caller has decoded it.
        """
        if header is None:
            header = Header.decode(octets)
        place = HEADER_SIZE
        questions = []
        for _ in range(header.questions):
            question, place = Question.decode(octets, place)
            questions.append(question)
        # What most owners in a reply point to.
        first = questions[0].name if questions else b""
        answer, place = _records(octets, place, header.answers, first)
        authority, place = _records(octets, place, header.authorities, first)
        additional, _ = _records(octets, place, header.additionals, first)
        # OPT means something in additional only (RFC 6891 section 6.1.1).
        edns: Edns | None = None
        options = [record for record in additional if record.rtype == _OPT]
        if options:
            opt = options[0]
            edns = Edns.from_record(opt.rclass, opt.ttl, opt.rdata.head)
            additional = tuple(record for record in additional if record.rtype != _OPT)
        return cls(header, tuple(questions), answer, authority, additional, edns)

    @property
    def rcode(self) -> int:
        """The whole RCODE, the upper bits from OPT (RFC 6891 section 6.1.3)."""
        upper = self.edns.extended_rcode if self.edns else 0
        return upper << 4 | self.header.rcode


def rdata_from_octets(rtype: int, octets: bytes) -> Rdata:
    """RDATA that stands alone, its names not compressed. Raises WireError when it is not one of *rtype*."""
    return _rdata(octets, rtype, 0, len(octets))


def _records(octets: bytes, place: int, count: int, first: bytes) -> tuple[tuple[Record, ...], int]:
    """*count* records at *place*, and the place behind them; *first* is the name behind the header, b"" for none."""
    if not count:
        return (), place
    records = []
    for _ in range(count):
        record, place = _record(octets, place, first)
        records.append(record)
    return tuple(records), place


def _record(octets: bytes, place: int, first: bytes) -> tuple[Record, int]:
    if first and octets[place : place + 2] == _TO_FIRST:
        owner, place = first, place + 2
    else:
        owner, place = names.decode(octets, place)
    if len(octets) < place + _FIXED_SIZE:
        raise WireError("record is cut")
    rtype, rclass, ttl, size = _FIXED.unpack_from(octets, place)
    start = place + _FIXED_SIZE
    end = start + size
    if len(octets) < end:
        raise WireError("RDATA is cut")
    if start == end and rclass in _WITHOUT_RDATA:
        return Record(owner, rtype, ttl, Rdata(), rclass), end
    return Record(owner, rtype, ttl, _rdata(octets, rtype, start, end), rclass), end


def _rdata(octets: bytes, rtype: int, start: int, end: int) -> Rdata:
    shape = _SHAPES.get(rtype)
    if shape is None:
        if _SIZES.get(rtype, end - start) != end - start:
            raise WireError("RDATA has the wrong size for its type")
        return Rdata(octets[start:end])
    before, count, after = shape
    place = start + before
    found = []
    for _ in range(count):
        name, place = names.decode(octets, place)
        found.append(name)
    if place + after != end:
        raise WireError("RDATA does not end where its names do")
    return Rdata(octets[start : start + before], tuple(found), octets[place:end])
