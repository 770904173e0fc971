"""Plugin `sign`: the zone that it writes is served and valid, and written anew in time."""

from pathlib import Path

import dns.dnssec
import dns.name
import dns.node
import dns.rdatatype
import dns.zone
import pytest

from dnsserver.answering.static import tell
from dnsserver.plugins.sign import setup
from dnsserver.plugins.sign.settings import FOLDER, zones_to_sign
from dnsserver.plugins.sign.signer import ZoneSigner
from dnsserver.sources.zonefile import load_zone
from dnsserver.wire import names
from dnsserver.wire.codes import Type, type_number
from dnsserver.wire.question import Question
from tests.plugins.helpers import directive, refused
from tests.runtime.helpers import ask, data, eventually, rcode, server_of
from tests.support.zone_keys import ZSK, make_key

ZONE = """$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
a.b.www A 192.0.2.1
*.wild TXT "x"
sub NS ns.sub
ns.sub A 192.0.2.4
safe NS ns.elsewhere.test.
safe DS 1 8 2 00000000000000000000000000000000000000000000000000000000000000ff
old DNAME new
"""
ORIGIN = dns.name.from_text("example.org.")
DAY = 86_400


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def signer(folder: Path, clock: Clock, *keys: str) -> ZoneSigner:
    (folder / "db").write_text(ZONE)
    text = f"sign db example.org {{\nkey file {' '.join(keys)}\ndirectory .\n}}"
    zones = zones_to_sign(directive(text), (".",), folder)
    return ZoneSigner(zones, clock)


def signed(folder: Path) -> dns.zone.Zone:
    return dns.zone.from_file(str(folder / "db.example.org.signed"), ORIGIN, relativize=False)


def look(found: ZoneSigner) -> None:
    for zone in found._zones:
        found.look(zone, first=True)


@pytest.mark.parametrize("algorithm", [8, 13, 15])
def test_every_rrset_is_signed(algorithm: int, tmp_path: Path) -> None:
    clock = Clock()
    look(signer(tmp_path, clock, make_key(tmp_path, algorithm=algorithm)))
    zone = signed(tmp_path)
    dnskeys = zone.find_rdataset(ORIGIN, "DNSKEY")
    keys: dict[dns.name.Name, dns.node.Node | dns.rdataset.Rdataset] = {ORIGIN: dnskeys}
    unsigned = set()
    for name, rdataset in zone.iterate_rdatasets():
        if rdataset.rdtype == dns.rdatatype.RRSIG:
            continue
        signature = zone.get_rdataset(name, "RRSIG", rdataset.rdtype)
        if signature is None:
            unsigned.add(f"{name} {dns.rdatatype.to_text(rdataset.rdtype)}")
        else:
            dns.dnssec.validate((name, rdataset), (name, signature), keys, now=clock.now)
    assert unsigned == {"sub.example.org. NS", "safe.example.org. NS", "ns.sub.example.org. A"}
    assert zone.get_soa().serial == int(clock.now)
    assert {dns.rdatatype.to_text(each.rdtype) for each in zone.find_node(ORIGIN)} >= {"CDS", "CDNSKEY"}


def test_chain_of_names(tmp_path: Path) -> None:
    """RFC 4035 section 2.3: every name with authority, in order, back to the first; no glue, no empty names."""
    look(signer(tmp_path, Clock(), make_key(tmp_path)))
    zone = signed(tmp_path)
    owners = sorted(name for name, _ in zone.iterate_rdatasets("NSEC"))
    followed = [zone.find_rdataset(name, "NSEC")[0].to_text().split()[0] for name in owners]
    assert followed == [name.to_text() for name in (*owners[1:], owners[0])]
    assert [name.to_text() for name in owners] == [
        "example.org.",
        "ns.example.org.",
        "old.example.org.",
        "safe.example.org.",
        "sub.example.org.",
        "*.wild.example.org.",
        "a.b.www.example.org.",
    ]
    assert zone.find_rdataset("sub.example.org.", "NSEC")[0].to_text().split()[1:] == ["NS", "RRSIG", "NSEC"]


@pytest.mark.parametrize(
    ("after_s", "again"), [(0, False), (4 * DAY, False), (6 * DAY, True), (26 * DAY, True), (-2 * DAY, True)]
)
def test_signed_again_in_time(after_s: int, again: bool, tmp_path: Path) -> None:
    clock = Clock()
    found = signer(tmp_path, clock, make_key(tmp_path))
    look(found)
    first = signed(tmp_path).get_soa().serial
    clock.now += after_s
    look(found)
    assert (signed(tmp_path).get_soa().serial != first) is again


def test_signed_again_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnsserver.plugins.sign.signer.LIFE_S", 8 * DAY)
    monkeypatch.setattr("dnsserver.plugins.sign.signer.LIFE_JITTER_S", 1)
    clock = Clock()
    found = signer(tmp_path, clock, make_key(tmp_path))
    look(found)
    clock.now += 2 * DAY
    look(found)
    assert signed(tmp_path).get_soa().serial == int(clock.now)


def test_what_is_wrong_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    found = signer(tmp_path, Clock(), make_key(tmp_path))
    (tmp_path / "db").unlink()
    look(found)
    (tmp_path / "db").write_text("nonsense\n")
    look(found)
    errors = [
        text for text in caplog.messages if text.startswith('Error signing "example.org." with key tags ')
    ]
    assert f"open {tmp_path}/db: no such file or directory, next: " in errors[0]
    assert f"{tmp_path}/db:1: no type, next: " in errors[1]
    assert not list(tmp_path.glob("signed-*"))


async def test_is_served(tmp_path: Path) -> None:
    (tmp_path / "db").write_text(ZONE)
    key = make_key(tmp_path)
    text = (
        f"example.org:0 {{\n bind 127.0.0.1\n sign db {{\n key file {key}\n directory .\n }}\n"
        " file db.example.org.signed {\n reload 50ms\n }\n}\n"
    )
    async with server_of(text, tmp_path) as server:
        port = server.endpoints[0][1]

        async def answers() -> list[str]:
            return data(await ask(port, "a.b.www.example.org."))

        await eventually(answers, ["A 192.0.2.1"])
        assert rcode(await ask(port, "b.www.example.org.")) == "NOERROR"
        signature = (await ask(port, "example.org.", "DNSKEY", edns=True)).answer
        assert signature


def test_defaults(tmp_path: Path) -> None:
    zone = zones_to_sign(directive("sign db"), ("a.", "b."), tmp_path)[1]
    assert (zone.origin, zone.path) == (names.from_text("b."), tmp_path / "db")
    assert zone.signed == FOLDER / "db.b.signed"


def test_refused(tmp_path: Path) -> None:
    zsk = make_key(tmp_path, flags=ZSK)
    count = "Error during parsing: Wrong argument count or unexpected line ending after"
    cases = {
        "sign": f"Corefile:2 - {count} 'sign'",
        "sign db {\nkey\n}": f"Corefile:3 - {count} 'key'",
        "sign db {\nkey directory x\n}": "directory: not implemented (Corefile:3)",
        f"sign db {{\nkey file {zsk}\n}}": f'DNSKEY in "{zsk}" is not a CSK/KSK (Corefile:3)',
        "sign db {\ndirectory\n}": 'can only be one argument after "directory" (Corefile:3)',
        "sign db {\ndirectory a b\n}": 'can only be one argument after "directory" (Corefile:3)',
        "sign db {\nnope\n}": "Corefile:3 - Error during parsing: unknown property 'nope'",
    }
    for text, error in cases.items():
        assert refused(setup, text, tmp_path) == f"plugin/sign: {error}"


@pytest.mark.parametrize(
    ("question", "proofs"),
    [
        ("zz A", ["a.b.www.example.org.", "example.org."]),
        ("ns TXT", ["ns.example.org."]),
        ("b.www A", ["*.wild.example.org."]),
        ("x.wild TXT", ["*.wild.example.org."]),
        ("x.wild A", ["*.wild.example.org."]),
        ("a.sub A", ["sub.example.org."]),
        ("sub DS", ["sub.example.org."]),
        ("a.safe A", []),
    ],
)
def test_proofs_of_the_signed_zone(question: str, proofs: list[str], tmp_path: Path) -> None:
    """RFC 4035 section 3.1: which NSEC records stand in authority, each with its signature."""
    look(signer(tmp_path, Clock(), make_key(tmp_path)))
    loaded = load_zone(tmp_path / "db.example.org.signed", names.from_text("example.org."))
    assert loaded is not None
    name, rtype = question.split()
    number = type_number(rtype)
    assert number is not None
    asked = Question(names.from_text(f"{name}.example.org."), number)
    authority = tell(loaded.zone, asked, do=True).reply.authority
    found = {names.to_text(record.owner) for record in authority if record.rtype == Type.NSEC}
    signatures = {
        names.to_text(record.owner)
        for record in authority
        if record.rtype == Type.RRSIG and record.rdata.head[:2] == Type.NSEC.to_bytes(2, "big")
    }
    assert found == signatures == set(proofs)
    assert not [
        record for record in tell(loaded.zone, asked, do=False).reply.authority if record.rtype == Type.NSEC
    ]
