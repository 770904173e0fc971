"""Headers, OPT records, and the numbers with their names."""

from random import Random

import dns.edns
import dns.flags
import dns.message
import dns.rdata
import dns.rdatatype
import pytest

from dnsserver.wire import codes
from dnsserver.wire.codes import Flag, Opcode, Rcode
from dnsserver.wire.edns import Edns, extended_error
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.question import Question


def test_header_layout() -> None:
    header = Header(0x1234, Opcode.NOTIFY, Rcode.REFUSED, Flag.QR | Flag.AA | Flag.CD, 1, 2, 3, 4)
    assert header.encode().hex() == "1234a4150001000200030004"
    assert Header.decode(header.encode()) == header


@pytest.mark.parametrize("flag", list(Flag))
def test_flags_are_those_of_dnspython(flag: Flag) -> None:
    assert flag.name is not None
    expected = 0x40 if flag is Flag.Z else dns.flags.from_text(flag.name)
    assert flag == expected
    assert Header.decode(Header(0, flags=flag).encode()).flags == flag


@pytest.mark.parametrize("size", range(12))
def test_header_that_is_cut(size: int) -> None:
    with pytest.raises(WireError):
        Header.decode(bytes(size))


def test_every_header_comes_back() -> None:
    rng = Random(3)
    for _ in range(2_000):
        octets = rng.randbytes(12)
        assert Header.decode(octets).encode() == octets


@pytest.mark.parametrize(("octets", "place"), [(b"\0\0\1\0", 0), (b"\1a\0\0\1\0", 0), (b"\0", 1), (b"", 0)])
def test_question_that_is_cut(octets: bytes, place: int) -> None:
    with pytest.raises(WireError):
        Question.decode(octets, place)


def test_question_there_and_back() -> None:
    question = Question(b"\3WwW\0", 65280, 254)
    assert Question.decode(b"xx" + question.encode() + b"yy", 2) == (question, 11)


EDNS: tuple[Edns, ...] = (
    Edns(0),
    Edns(1232),
    Edns(65535, do=True),
    Edns(4096, version=3, extended_rcode=1),
    Edns(512, options=((10, b"8 octets"),)),
    Edns(512, do=True, options=((15, b"\0\x0e"), (3, b""), (65535, bytes(300)), (3, b"again"))),
)


@pytest.mark.parametrize("edns", EDNS, ids=str)
def test_edns_there_and_back(edns: Edns) -> None:
    octets = edns.encode()
    ttl, size = int.from_bytes(octets[5:9], "big"), int.from_bytes(octets[9:11], "big")
    assert octets[:3] == b"\0\0\x29"
    assert len(octets) == 11 + size
    assert Edns.from_record(int.from_bytes(octets[3:5], "big"), ttl, octets[11:]) == edns


@pytest.mark.parametrize("edns", EDNS, ids=str)
def test_edns_as_dnspython_reads_it(edns: Edns) -> None:
    message = dns.message.from_wire(Header(1, additionals=1).encode() + edns.encode())
    assert (message.edns, message.payload) == (edns.version, edns.payload)
    assert message.ednsflags == edns.extended_rcode << 24 | edns.version << 16 | (0x8000 if edns.do else 0)
    assert [(int(option.otype), option.to_wire()) for option in message.options] == list(edns.options)


@pytest.mark.parametrize("cut", range(1, 14))
def test_edns_options_that_are_cut(cut: int) -> None:
    rdata = b"\0\x0a\0\4abcd\0\3\0\2xy"
    if cut == 6:  # between the two
        assert Edns.from_record(512, 0, rdata[:-cut]).options == ((10, b"abcd"),)
    else:
        with pytest.raises(WireError):
            Edns.from_record(512, 0, rdata[:-cut])


def test_edns_ignores_unknown_flags() -> None:
    assert Edns.from_record(512, 0x7FFF, b"") == Edns(512)


def test_extended_error_as_dnspython_reads_it() -> None:
    code, data = extended_error(14, "not yet")
    option = dns.edns.option_from_wire(dns.edns.OptionType.make(code), data, 0, len(data))
    assert isinstance(option, dns.edns.EDEOption)
    assert (option.code, option.text) == (14, "not yet")
    assert extended_error(14) == (15, b"\0\x0e")


@pytest.mark.parametrize(
    "name", ["A", "NS", "CNAME", "SOA", "PTR", "MX", "TXT", "AAAA", "SRV", "OPT", "DS", "ANY"]
)
def test_type_names(name: str) -> None:
    number = int(dns.rdatatype.from_text(name))
    assert codes.type_name(number) == name
    assert codes.type_number(name) == codes.type_number(name.lower()) == number
    assert codes.Type[name] == number


@pytest.mark.parametrize(
    ("name", "number"), [("TYPE65280", 65280), ("type1", 1), ("TYPE0", 0), ("TYPE65535", 65535)]
)
def test_generic_type_names(name: str, number: int) -> None:
    assert codes.type_number(name) == number


@pytest.mark.parametrize("name", ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "NOSUCH", "1", "TYPE\u0661"])
def test_names_of_no_type(name: str) -> None:
    assert codes.type_number(name) is None


def test_names_of_unknown_numbers() -> None:
    assert codes.type_name(65280) == "TYPE65280"
    assert codes.class_name(4711) == "CLASS4711"
    assert codes.class_name(1) == "IN"
    assert codes.rcode_name(3) == "NXDOMAIN"
    assert codes.rcode_name(16) == "BADVERS"
    assert codes.rcode_name(4000) == "RCODE4000"
