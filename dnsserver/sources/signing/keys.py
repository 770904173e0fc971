"""Key pairs in the files of BIND's dnssec-keygen: `Kexample.org.+013+26205.key` and `.private`."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.dnssec
import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from dnsserver.sources.zonefile import RecordTextError, record_from_text
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Rdata, Record

#: Algorithm numbers (IANA, "DNS Security Algorithm Numbers") that keys may have: RSASHA1 and older are not to be signed
#: with any more (RFC 9905).
_RSA = frozenset((8, 10))
_CURVES: dict[int, ec.EllipticCurve] = {13: ec.SECP256R1(), 14: ec.SECP384R1()}
#: The bits of DNSKEY's flags: a key of a zone, and one that the parent zone points at (RFC 4034 section 2.1.1).
_ZONE, _ENTRY_POINT = 0x0100, 0x0001


class KeyFileError(Exception):
    """The files are no key pair: what and where."""


@dataclass(frozen=True, slots=True)
class ZoneKey:
    """`rdata` is that of the DNSKEY record, `owner` its name (lower case), `tag` its key tag."""

    owner: bytes
    rdata: Rdata
    tag: int
    _dnskey: Any = field(repr=False, compare=False)
    _private: Any = field(repr=False, compare=False)

    @property
    def signs_keys(self) -> bool:
        """Whether it is a key-signing key: the parent zone has a DS record of it."""
        flags = int.from_bytes(self.rdata.head[:2], "big")
        return bool(flags & _ZONE and flags & _ENTRY_POINT)

    @property
    def algorithm(self) -> int:
        return self.rdata.head[3]

    def sign(
        self, owner: bytes, rtype: int, ttl: int, rdatas: Sequence[Rdata], zone: bytes, span: tuple[int, int]
    ) -> Rdata:
        """The RRSIG record of an RRset of *zone*, valid from and until the Unix seconds of *span*."""
        rdataset = dns.rdataset.Rdataset(dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype))
        rdataset.update_ttl(ttl)
        for rdata in rdatas:
            octets = rdata.head + b"".join(rdata.names) + rdata.tail
            rdataset.add(decoded(rtype, octets))
        found = dns.dnssec.sign(
            (_name(owner), rdataset),
            self._private,
            _name(zone),
            self._dnskey,
            inception=span[0],
            expiration=span[1],
        )
        return Rdata(found.to_wire() or b"")


def read_key(path: Path) -> ZoneKey:
    """The pair whose files are *path* with `.key` and `.private` behind; one of those endings may stand there already.
    Raises KeyFileError."""
    base = path.with_suffix("") if path.suffix in (".key", ".private") else path
    public, private = Path(f"{base}.key"), Path(f"{base}.private")
    record = _public(public)
    octets = record.rdata.head
    dnskey = decoded(Type.DNSKEY, octets)
    tag = dns.dnssec.key_id(dnskey)
    try:
        key = _private(_fields(private), octets[3])
    except (ValueError, KeyError, binascii.Error) as error:
        raise KeyFileError(f"no private key found in {private}: {error}") from None
    found = ZoneKey(record.owner.lower(), record.rdata, tag, dnskey, key)
    _check_pair(found, dnskey, private)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        reason = error.strerror or str(error)
        raise KeyFileError(f"open {path}: {reason[:1].lower()}{reason[1:]}") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"{path} is no text") from None


def _public(path: Path) -> Record:
    try:
        record = record_from_text(_text(path))
    except RecordTextError as error:
        raise KeyFileError(f"no public key found in {path}: {error}") from None
    if record is None or record.rtype != Type.DNSKEY or len(record.rdata.head) < 5:
        raise KeyFileError(f"no public key found in {path}: it has no DNSKEY record")
    return record


def _fields(path: Path) -> dict[str, str]:
    """`Name: value` of each line."""
    pairs = (line.partition(":") for line in _text(path).splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _private(fields: dict[str, str], algorithm: int) -> Any:
    def number(name: str) -> int:
        return int.from_bytes(base64.b64decode(fields[name]), "big")

    stated = fields.get("Algorithm", "").split(" ")[0]
    if stated != str(algorithm):
        raise ValueError(f"it is of algorithm {stated or 'unknown'}, the public key of {algorithm}")
    if algorithm in _CURVES:
        return ec.derive_private_key(number("PrivateKey"), _CURVES[algorithm])
    if algorithm == 15:
        return ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(fields["PrivateKey"]))
    if algorithm == 16:
        return ed448.Ed448PrivateKey.from_private_bytes(base64.b64decode(fields["PrivateKey"]))
    if algorithm not in _RSA:
        raise ValueError(f"unsupported algorithm {algorithm}")
    public = rsa.RSAPublicNumbers(number("PublicExponent"), number("Modulus"))
    return rsa.RSAPrivateNumbers(
        p=number("Prime1"),
        q=number("Prime2"),
        d=number("PrivateExponent"),
        dmp1=number("Exponent1"),
        dmq1=number("Exponent2"),
        iqmp=number("Coefficient"),
        public_numbers=public,
    ).private_key()


def _check_pair(key: ZoneKey, dnskey: Any, private: Path) -> None:
    """Raises KeyFileError where one signs what the other does not verify."""
    octets = key.rdata
    signature = key.sign(key.owner, Type.DNSKEY, 0, (octets,), key.owner, (0, 1))
    rrsig = decoded(Type.RRSIG, signature.head)
    name, rdataset = _name(key.owner), dns.rdataset.from_rdata(0, dnskey)
    try:
        dns.dnssec.validate_rrsig((name, rdataset), rrsig, {name: rdataset}, now=0)
    except dns.exception.DNSException:
        raise KeyFileError(
            f"{private} is not the private key of {private.with_suffix('.key').name}"
        ) from None


def decoded(rtype: int, octets: bytes) -> Any:
    """RDATA as the library has it."""
    return dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), octets, 0, len(octets))


def _name(wire: bytes) -> dns.name.Name:
    return dns.name.from_wire(wire, 0)[0]
