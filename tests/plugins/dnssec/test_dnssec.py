"""Plugin `dnssec` on real sockets; dnspython validates what it signs."""

from pathlib import Path

import dns.asyncquery
import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.NSEC
import dns.rdtypes.ANY.RRSIG
import dns.rrset
import pytest

from dnsserver.plugins.dnssec import setup
from tests.plugins.helpers import refused
from tests.runtime.helpers import PATIENCE_S, server_of
from tests.support.zone_keys import KSK, ZSK, dnskey_of, make_key

ZONE = """$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.1
www A 192.0.2.2
mail MX 10 ns
alias CNAME www
nowhere CNAME missing
*.wild A 192.0.2.3
sub NS ns.sub
ns.sub A 192.0.2.4
safe NS ns.safe
safe DS 1 8 2 00000000000000000000000000000000000000000000000000000000000000ff
"""
Keys = dict[dns.name.Name, dns.node.Node | dns.rdataset.Rdataset]
NAME = dns.name.from_text("example.org.")
COUNT = "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after"


def corefile(folder: Path, *keys: str, options: str = "") -> str:
    (folder / "db").write_text(ZONE)
    lines = f"key file {' '.join(keys)}\n{options}"
    return f"example.org:0 {{\n bind 127.0.0.1\n dnssec {{\n{lines}\n}}\n file db\n}}\n"


async def ask(port: int, name: str, rtype: str, *, do: bool = True) -> dns.message.Message:
    query = dns.message.make_query(name, rtype, want_dnssec=do, use_edns=0, payload=4096)
    return await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=PATIENCE_S)


def valid(sections: list[dns.rrset.RRset], keys: Keys) -> list[str]:
    """Name and type of each RRset that has a signature, all of which must be right."""
    found = []
    for rrset in sections:
        if rrset.rdtype == dns.rdatatype.RRSIG:
            continue
        signatures = [
            each
            for each in sections
            if each.covers == rrset.rdtype and each.name == rrset.name and each.covers
        ]
        if signatures:
            dns.dnssec.validate(rrset, signatures[0], keys)
            found.append(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}")
    return found


async def keys_of(port: int) -> Keys:
    reply = await ask(port, "example.org.", "DNSKEY")
    keys: Keys = {NAME: reply.answer[0]}
    assert valid(reply.answer, keys) == ["example.org. DNSKEY"]
    assert reply.flags & dns.flags.AA
    return keys


@pytest.mark.parametrize("algorithm", [8, 10, 13, 14, 15])
async def test_every_algorithm(algorithm: int, tmp_path: Path) -> None:
    name = make_key(tmp_path, algorithm=algorithm)
    async with server_of(corefile(tmp_path, name), tmp_path) as server:
        port = server.endpoints[0][1]
        keys = await keys_of(port)
        assert list(keys[NAME]) == [dnskey_of(tmp_path, name)]
        reply = await ask(port, "wWw.example.org.", "A")
        assert valid(reply.answer, keys) == ["wWw.example.org. A"]
        assert valid(reply.authority, keys) == ["example.org. NS"]


@pytest.mark.parametrize(
    ("question", "answer", "authority"),
    [
        ("mail.example.org. MX", ["mail.example.org. MX"], ["example.org. NS"]),
        ("alias.example.org. A", ["alias.example.org. CNAME", "www.example.org. A"], ["example.org. NS"]),
        ("x.wild.example.org. A", ["x.wild.example.org. A"], ["example.org. NS"]),
        ("www.example.org. TXT", [], ["example.org. SOA", "www.example.org. NSEC"]),
        ("missing.example.org. A", [], ["example.org. SOA", "missing.example.org. NSEC"]),
        (
            "nowhere.example.org. A",
            ["nowhere.example.org. CNAME"],
            ["example.org. SOA", "missing.example.org. NSEC"],
        ),
        ("example.org. TXT", [], ["example.org. SOA", "example.org. NSEC"]),
        ("www.example.org. NSEC", ["www.example.org. NSEC"], []),
        ("a.sub.example.org. A", [], ["sub.example.org. NSEC"]),
        ("a.safe.example.org. A", [], ["safe.example.org. DS"]),
        ("safe.example.org. DS", ["safe.example.org. DS"], ["example.org. NS"]),
        ("sub.example.org. DS", [], ["example.org. SOA", "sub.example.org. NSEC"]),
    ],
)
async def test_what_is_signed(question: str, answer: list[str], authority: list[str], tmp_path: Path) -> None:
    async with server_of(corefile(tmp_path, make_key(tmp_path)), tmp_path) as server:
        port = server.endpoints[0][1]
        keys = await keys_of(port)
        name, rtype = question.split()
        reply = await ask(port, name, rtype)
        assert reply.rcode() == dns.rcode.NOERROR
        assert valid(reply.answer, keys) == answer
        assert valid(reply.authority, keys) == authority
        for rrset in (*reply.answer, *reply.authority):
            if rrset.rdtype == dns.rdatatype.NSEC and rtype != "NSEC":
                assert covers(rrset, rtype) is False


def covers(rrset: dns.rrset.RRset, rtype: str) -> bool:
    """Whether the NSEC record says that the type is there."""
    nsec = rrset[0]
    assert isinstance(nsec, dns.rdtypes.ANY.NSEC.NSEC)
    number = dns.rdatatype.from_text(rtype)
    for window, bitmap in nsec.windows:
        if window == number >> 8 and len(bitmap) > (number & 255) >> 3:
            return bool(bitmap[(number & 255) >> 3] & 0x80 >> (number & 7))
    return False


async def test_name_that_does_not_exist(tmp_path: Path) -> None:
    """RFC 9824 sections 2 and 3.1: NXNAME, and no room for other names."""
    async with server_of(corefile(tmp_path, make_key(tmp_path)), tmp_path) as server:
        reply = await ask(server.endpoints[0][1], "missing.example.org.", "A")
        nsec = next(rrset for rrset in reply.authority if rrset.rdtype == dns.rdatatype.NSEC)
        assert nsec[0].to_text() == "\\000.missing.example.org. RRSIG NSEC NXNAME"
        plain = await ask(server.endpoints[0][1], "missing.example.org.", "A", do=False)
        assert plain.rcode() == dns.rcode.NXDOMAIN
        assert [rrset.rdtype for rrset in plain.authority] == [dns.rdatatype.SOA]


async def test_split_keys(tmp_path: Path) -> None:
    ksk, zsk = make_key(tmp_path, flags=KSK), make_key(tmp_path, flags=ZSK)
    async with server_of(corefile(tmp_path, f"{ksk}.key", f"{zsk}.private"), tmp_path) as server:
        port = server.endpoints[0][1]
        keys = await keys_of(port)
        tags = {}
        for name, rtype in (("example.org.", "DNSKEY"), ("www.example.org.", "A")):
            rrsig = (await ask(port, name, rtype)).answer[-1][0]
            assert isinstance(rrsig, dns.rdtypes.ANY.RRSIG.RRSIG)
            tags[rtype] = rrsig.key_tag
        own = {dns.dnssec.key_id(dnskey_of(tmp_path, each)): each for each in (ksk, zsk)}
        assert (own[tags["DNSKEY"]], own[tags["A"]]) == (ksk, zsk)
        assert len(keys[NAME]) == 2


async def test_signatures_are_kept_up_to_the_capacity(tmp_path: Path) -> None:
    text = corefile(tmp_path, make_key(tmp_path), options="cache_capacity 2")
    text = text.replace("dnssec {", "prometheus 127.0.0.1:0\n dnssec {")
    async with server_of(text, tmp_path) as server:
        port = server.endpoints[0][1]
        for _ in range(2):
            await ask(port, "www.example.org.", "A")  # A and NS, kept for the second time
        for name in ("ns", "mail"):
            await ask(port, f"{name}.example.org.", "TXT")
        plugin = next(each for each in server.plugins() if each.name == "dnssec")
        assert plugin.metrics is not None
        numbers = {family.name: family.samples for family in plugin.metrics()}
        label = f"dns://127.0.0.1:{port}"
        assert numbers["coredns_dnssec_cache_hits_total"] == (((label,), 3.0),)
        assert numbers["coredns_dnssec_cache_misses_total"] == (((label,), 5.0),)
        assert numbers["coredns_dnssec_cache_entries"] == (((label, "signature"), 2.0),)


async def test_other_zones_and_without_do(tmp_path: Path) -> None:
    text = corefile(tmp_path, make_key(tmp_path)).replace("dnssec {", "dnssec example.org {")
    text = text.replace("example.org:0", ".:0").replace("file db", "file db example.org other.test")
    async with server_of(text, tmp_path) as server:
        port = server.endpoints[0][1]
        for reply in (
            await ask(port, "www.other.test.", "A"),
            await ask(port, "www.example.org.", "A", do=False),
        ):
            rrsets = (*reply.answer, *reply.authority)
            assert rrsets
            assert not [rrset for rrset in rrsets if rrset.rdtype == dns.rdatatype.RRSIG]


def test_refused(tmp_path: Path) -> None:
    name = make_key(tmp_path)
    other = make_key(tmp_path, "example.net.")
    (tmp_path / f"{other}.private").write_bytes((tmp_path / f"{name}.private").read_bytes())
    foreign = make_key(tmp_path, "example.com.")
    (tmp_path / "no.key").write_text("example.org. A 192.0.2.1\n")
    tag = dns.dnssec.key_id(dnskey_of(tmp_path, foreign))
    cases = {
        "key": f"{COUNT} 'key'",
        "key file": f"{COUNT} 'file'",
        "key aws_secretsmanager x": "Corefile:3 - Error during parsing: "
        "keys from 'aws_secretsmanager' are not supported: use key file",
        "key file nope": f"open {tmp_path}/nope.key: no such file or directory (Corefile:3)",
        "key file no": f"no public key found in {tmp_path}/no.key: it has no DNSKEY record (Corefile:3)",
        f"key file {other}": f"{tmp_path}/{other}.private is not the private key of {other}.key (Corefile:3)",
        f"key file {foreign}": f"key example.com. (keyid: {tag}) can not sign any of the zones (Corefile:2)",
        "cache_capacity": f"{COUNT} 'cache_capacity'",
        "cache_capacity x": 'strconv.Atoi: parsing "x": invalid syntax (Corefile:3)',
        "nope": "Corefile:3 - Error during parsing: unknown property 'nope'",
    }
    for line, error in cases.items():
        assert refused(setup, f"dnssec example.org {{\n{line}\n}}", tmp_path) == f"plugin/dnssec: {error}"
    twice = refused(setup, "dnssec\ndnssec", tmp_path)
    assert twice == "plugin/dnssec: this plugin can only be used once per Server Block (Corefile:3)"
