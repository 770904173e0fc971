"""RDATA in presentation format: what is written without the library is what the library writes."""

import dns.exception
import dns.rdata
import dns.rdatatype
import pytest

from dnsserver.sources.zonefile.printing import rdata_text
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Rdata

#: Types and RDATA that `rdata_text` writes itself, as far as they have the usual form.
COMMON = (
    (Type.A, Rdata(bytes((192, 0, 2, 1)))),
    (Type.A, Rdata(bytes(3))),
    (Type.CNAME, Rdata(names=(b"\x05a.b\\c\x04d e\xff\x00",))),
    (Type.NS, Rdata(names=(b"\x00",))),
    (Type.PTR, Rdata(names=(b'\x07web"(;)\x03*@$\x00',))),
    (Type.SRV, Rdata(bytes((0, 1, 255, 255, 0, 80)), (b"\x03web\x04shop\x00",))),
    (Type.SRV, Rdata(bytes(4), (b"\x03web\x00",))),
    (Type.SRV, Rdata(bytes(6), (b"\x03web\x00",), b"\x00")),
    (Type.PTR, Rdata(b"\x03web\x00")),
)


@pytest.mark.parametrize(("rtype", "rdata"), COMMON, ids=range(len(COMMON)))
def test_common_rdata_as_dnspython_has_it(rtype: int, rdata: Rdata) -> None:
    octets = rdata.head + b"".join(rdata.names) + rdata.tail
    try:
        expected = dns.rdata.from_wire(
            "IN", dns.rdatatype.RdataType.make(rtype), octets, 0, len(octets)
        ).to_text()
    except dns.exception.DNSException:
        expected = f"\\# {len(octets)} {octets.hex()}"
    assert rdata_text(rtype, rdata) == expected
