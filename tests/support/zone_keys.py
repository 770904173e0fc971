"""Key pairs in files as BIND's dnssec-keygen writes them."""

import base64
from pathlib import Path

import dns.dnssec
import dns.rdtypes.ANY.DNSKEY
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

#: Flags of DNSKEY: zone key, and with the entry-point bit.
ZSK, KSK = 256, 257


def make_key(folder: Path, zone: str = "example.org.", algorithm: int = 13, flags: int = KSK) -> str:
    """Write a new pair; the name of its files without their endings."""
    private, fields = _private(algorithm)
    dnskey = dns.dnssec.make_dnskey(private.public_key(), algorithm, flags)
    name = f"K{zone}+{algorithm:03}+{dns.dnssec.key_id(dnskey):05}"
    (folder / f"{name}.key").write_text(f"; a key\n{zone} IN DNSKEY {dnskey.to_text()}\n")
    lines = "".join(f"{field}: {value}\n" for field, value in fields.items())
    (folder / f"{name}.private").write_text(f"Private-key-format: v1.3\nAlgorithm: {algorithm} (X)\n{lines}")
    return name


def dnskey_of(folder: Path, name: str) -> dns.rdtypes.ANY.DNSKEY.DNSKEY:
    text = (folder / f"{name}.key").read_text().splitlines()[1].split(None, 3)[3]
    found = dns.rdata.from_text("IN", "DNSKEY", text)
    assert isinstance(found, dns.rdtypes.ANY.DNSKEY.DNSKEY)
    return found


def _private(
    algorithm: int,
) -> tuple[ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, dict[str, str]]:
    if algorithm == 15:
        edwards = ed25519.Ed25519PrivateKey.generate()
        raw = edwards.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return edwards, {"PrivateKey": base64.b64encode(raw).decode()}
    if algorithm in (13, 14):
        curve = ec.generate_private_key(ec.SECP256R1() if algorithm == 13 else ec.SECP384R1())
        return curve, {"PrivateKey": _number(curve.private_numbers().private_value)}
    pair = rsa.generate_private_key(65_537, 2048)
    found = pair.private_numbers()
    return pair, {
        "Modulus": _number(found.public_numbers.n),
        "PublicExponent": _number(found.public_numbers.e),
        "PrivateExponent": _number(found.d),
        "Prime1": _number(found.p),
        "Prime2": _number(found.q),
        "Exponent1": _number(found.dmp1),
        "Exponent2": _number(found.dmq1),
        "Coefficient": _number(found.iqmp),
    }


def _number(value: int) -> str:
    return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()
