"""Any octets are a zone, or a ZoneFileError that says where."""

import contextlib
import random
from pathlib import Path

import pytest

from dnsserver.sources.zonefile import RecordTextError, ZoneFileError, load_zone, record_from_text
from dnsserver.wire import names

ORIGIN = names.from_text("example.org.")
SEED = rb"""$TTL 1h
@ SOA ns host ( 1 3600 ; serial
  600 86400 60 )
@ NS ns
ns 300 IN A 192.0.2.53
   AAAA 2001:db8::53
$ORIGIN sub
*.a\.b\065 MX 10 @
$GENERATE 1-3 h${0,3,x} CNAME $
t TXT "a;(b" c\"d
s SRV 1 2 3 t
h HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1
x TYPE65280 \# 3 abcdef
n NAPTR 1 2 u e2u !^.*$!a! .
c CAA 0 issue "ca.example"
d DS 1 8 2 00000000000000000000000000000000000000000000000000000000000000ff
l LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
"""
PIECES = (*(bytes((each,)) for each in b'()"\\;\n @$.\0\xff'), b"99999999999", b"IN", b"\\# 4 0")


def mutated(rng: random.Random) -> bytes:
    text = bytearray(SEED)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(text))
        match rng.randrange(4):
            case 0:
                text[place : place + rng.randint(1, 12)] = b""
            case 1:
                text[place:place] = rng.choice(PIECES)
            case 2:
                text[place] = rng.randrange(256)
            case _:
                other = rng.randrange(len(text))
                text[place:place] = text[other : other + rng.randint(1, 40)]
    return bytes(text)


@pytest.mark.parametrize("seed", range(4))
def test_any_octets_are_a_zone_or_an_error(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    path = tmp_path / "db"
    zones = 0
    for _ in range(150):
        path.write_bytes(mutated(rng))
        with contextlib.suppress(ZoneFileError):
            loaded = load_zone(path, ORIGIN)
            assert loaded is not None
            zones += bool(list(loaded.zone.records()))
    assert zones > 2


@pytest.mark.parametrize("seed", range(2))
def test_any_text_is_a_record_or_an_error(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(800):
        with contextlib.suppress(RecordTextError):
            record_from_text(mutated(rng).decode("latin-1")[rng.randrange(200) :][: rng.randint(1, 80)])
