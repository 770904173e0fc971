"""DNS in HTTP requests: which are questions, and what the others are told."""

import base64

import pytest

from dnsserver.answering.reply import Reply, encode
from dnsserver.transports.doh import AGE_UNKNOWN, DROPPED_MAX, HttpRequest, age_s, answer
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.edns import Edns
from dnsserver.wire.records import Rdata, Record
from tests.plugins.helpers import address, query

QUESTION = bytes.fromhex("000001000001000000000000076578616d706c65036f72670000010001")
TEXT = base64.urlsafe_b64encode(QUESTION).decode().rstrip("=")
DNS = {b"content-type": b"application/dns-message"}


def outcome(
    method: str, target: str, body: bytes = b"", headers: dict[bytes, bytes] | None = None
) -> bytes | int:
    request = HttpRequest.of(method, target, (headers or {}).items())
    request.add(body)
    return request.question()


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (f"/dns-query?dns={TEXT}", QUESTION),
        (f"/dns-query?x=1&dns={TEXT}&y", QUESTION),
        (f"https://dns.example/dns-query?dns={TEXT}", QUESTION),
        (f"/dns-query?dns={TEXT[:-3]}%{ord(TEXT[-3]):02x}{TEXT[-2:]}", QUESTION),
        ("/dns-query", 400),
        ("/dns-query?dns", 400),
        ("/dns-query?dns=", 400),
        ("/dns-query?DNS=" + TEXT, 400),
        (f"/dns-query?dns={TEXT}&dns={TEXT}", 400),
        (f"/dns-query?dns={TEXT}==", 400),
        (f"/dns-query?dns={TEXT[:-1]}*", 400),
        ("/dns-query?dns=AAAAA", 400),
        ("/dns-query?dns=" + "&".join(f"a{n}=1" for n in range(40)), 400),
        (f"/dns-query?dns={base64.urlsafe_b64encode(QUESTION[:11]).decode().rstrip('=')}", 400),
        (
            f"/dns-query?dns={base64.urlsafe_b64encode(b'  ' + bytes([0x80]) + QUESTION).decode().rstrip('=')}",
            400,
        ),
        (f"/?dns={TEXT}", 404),
        (f"/dns-query/?dns={TEXT}", 404),
        (f"/DNS-query?dns={TEXT}", 404),
        (f"//dns-query?dns={TEXT}", 404),
        ("*", 404),
        ("", 404),
    ],
)
def test_get(target: str, found: bytes | int) -> None:
    assert outcome("GET", target) == found


@pytest.mark.parametrize(
    ("target", "headers", "body", "found"),
    [
        ("/dns-query", DNS, QUESTION, QUESTION),
        ("/dns-query?dns=x", DNS, QUESTION, QUESTION),
        ("/dns-query", {b"content-type": b"Application/DNS-Message; x=y"}, QUESTION, QUESTION),
        (
            "/dns-query",
            DNS,
            QUESTION + bytes(65_535 - len(QUESTION)),
            QUESTION + bytes(65_535 - len(QUESTION)),
        ),
        ("/dns-query", DNS, b"", 400),
        ("/dns-query", DNS, QUESTION[:11], 400),
        ("/dns-query", DNS, bytes(65_536), 413),
        ("/dns-query", {**DNS, b"content-length": b"65536"}, b"", 413),
        ("/dns-query", {**DNS, b"content-length": b"9" * 5_000}, b"", 413),
        ("/dns-query", {}, QUESTION, 415),
        ("/dns-query", {b"content-type": b"application/dns-json"}, QUESTION, 415),
        ("/other", DNS, QUESTION, 404),
    ],
)
def test_post(target: str, headers: dict[bytes, bytes], body: bytes, found: bytes | int) -> None:
    assert outcome("POST", target, body, headers) == found


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "get", ""])
def test_other_methods(method: str) -> None:
    assert outcome(method, f"/dns-query?dns={TEXT}", b"", DNS) == 405


def test_a_body_that_nobody_reads_is_not_kept() -> None:
    request = HttpRequest.of("POST", "/other", DNS.items())
    for _ in range(DROPPED_MAX // 1_000):
        request.add(bytes(1_000))
    assert not request.body
    assert not request.endless
    request.add(bytes(1_000))
    assert request.endless


# How long a reply may be kept.


def soa(ttl: int, minimum: int) -> Record:
    numbers = b"".join(value.to_bytes(4, "big") for value in (1, 7200, 1800, 86_400, minimum))
    zone = names.from_text("example.org.")
    return Record(zone, Type.SOA, ttl, Rdata(b"", (zone, zone), numbers))


@pytest.mark.parametrize(
    ("reply", "age"),
    [
        (Reply(answer=(address("10.0.0.1", ttl=30), address("10.0.0.2", ttl=20))), 20),
        (Reply(answer=(address("10.0.0.1", ttl=30),), authority=(soa(10, 5),)), 10),
        (Reply(answer=(address("10.0.0.1", ttl=30),), additional=(address("10.0.0.2", ttl=7),)), 7),
        (Reply(answer=(address("10.0.0.1", ttl=86_400),)), 3600),
        (Reply(answer=(address("10.0.0.1", ttl=0),)), 0),
        (Reply(rcode=3, authority=(soa(60, 15),)), 15),
        (Reply(rcode=3, authority=(soa(12, 15),)), 12),
        (Reply(authority=(soa(60, 5),)), 5),
        (Reply(), AGE_UNKNOWN),
        (Reply(rcode=2), AGE_UNKNOWN),
        (Reply(rcode=5, answer=(address("10.0.0.1", ttl=60),)), AGE_UNKNOWN),
    ],
)
def test_age(reply: Reply, age: int) -> None:
    asked = query(edns=Edns(1232))
    assert age_s(encode(reply, asked)) == age
    assert dict(answer(encode(reply, asked)).headers)["cache-control"] == f"max-age={age}"


def test_age_of_what_is_no_message() -> None:
    assert age_s(b"x" * 20) == AGE_UNKNOWN


def test_no_answer_is_an_error_of_the_server() -> None:
    assert answer(None).status == 500
