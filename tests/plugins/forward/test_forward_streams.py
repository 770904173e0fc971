"""forward: connections that are kept and shared, by TCP, TLS and HTTPS."""

import asyncio
import random
import ssl
from collections.abc import Sequence

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.transports.upstream.https import _status
from dnsserver.wire.codes import Rcode
from tests.plugins.forward.hasty import ANSWER, ask, close_all, forwarding
from tests.plugins.helpers import query
from tests.support.streams import Certificates, certificates, each, streams
from tests.support.upstream import PATIENCE_S, reply_to, until

TCP = query(protocol="tcp")


def right(octets: bytes) -> bytes:
    return reply_to(octets, ANSWER)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("pki"))


# Kept and shared connections.


async def test_a_connection_is_used_again() -> None:
    async with streams(each(right)) as served:
        counters = ForwardCounters()
        forward = forwarding([served.port], counters=counters)
        for _ in range(5):
            assert (await ask(forward, TCP)).answer == ANSWER
        assert (served.opened, len(served.asked)) == (1, 5)
        name = f"127.0.0.1:{served.port}"
        assert counters.connections == {(name, "tcp", False): 1, (name, "tcp", True): 4}


async def test_replies_in_any_order_on_shared_connections() -> None:
    """Connections are opened for the first questions; the others share them."""

    def script(asked: Sequence[bytes]) -> Sequence[bytes]:
        return [right(octets) for octets in reversed(asked)] if len(asked) == 5 else []

    async with streams(script) as served:
        forward = forwarding([served.port], attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        asking = [ask(forward, query(f"n{number}.test.", protocol="tcp")) for number in range(40)]
        replies = await asyncio.gather(*asking)
        assert [reply.answer for reply in replies] == [ANSWER] * 40
        assert served.opened == 8


async def test_replies_to_other_questions_are_passed_over() -> None:
    def script(asked: Sequence[bytes]) -> Sequence[bytes]:
        octets = asked[-1]
        wrong = reply_to(octets, ident=int.from_bytes(octets[:2], "big") ^ 1)
        return [b"", b"\0", wrong, octets, right(octets), right(octets)]

    async with streams(script) as served:
        forward = forwarding([served.port])
        for _ in range(2):
            assert (await ask(forward, TCP)).answer == ANSWER
        assert served.opened == 1


async def test_connections_that_the_peer_closes_are_no_failures() -> None:
    def script(asked: Sequence[bytes]) -> Sequence[bytes] | None:
        return [right(asked[-1])] if len(asked) == 1 else None

    async with streams(script) as served:
        forward = forwarding([served.port], "max_connect_attempts 1")
        for _ in range(4):
            assert (await ask(forward, TCP)).answer == ANSWER


@pytest.mark.parametrize(
    ("options", "connections"),
    [("expire 10ms", 3), ("expire 0s", 3), ("expire 1h", 1), ("expire 0s\nmax_age 1h", 3)],
)
async def test_expire(options: str, connections: int) -> None:
    async with streams(each(right)) as served:
        forward = forwarding([served.port], options)
        for _ in range(3):
            assert (await ask(forward, TCP)).answer == ANSWER
            if connections > 1:
                await until(lambda: served.open == 0)
        assert served.opened == connections


async def test_max_age() -> None:
    async with streams(each(right)) as served:
        forward = forwarding([served.port], "expire 20ms\nmax_age 50ms")
        loop = asyncio.get_running_loop()
        end = loop.time() + 0.2
        while loop.time() < end:
            assert (await ask(forward, TCP)).answer == ANSWER
        assert served.opened > 1


@pytest.mark.parametrize(("options", "kept"), [("", 4), ("max_idle_conns 1", 1)])
async def test_max_idle_conns(options: str, kept: int) -> None:
    async with streams(each(right)) as served:
        forward = forwarding([served.port], options)
        await asyncio.gather(*(ask(forward, query(f"n{n}.test.", protocol="tcp")) for n in range(4)))
        await until(lambda: served.open == kept)
        assert served.opened == 4


async def test_a_silent_connection_gets_no_more_questions() -> None:
    async with streams(lambda _: []) as served:
        forward = forwarding([served.port], "max_connect_attempts 2", attempt_s=0.05)
        assert (await ask(forward, TCP)).error.endswith("i/o timeout")
        await until(lambda: served.open == 0)
        assert served.opened == 2


# TLS.


async def tls_reply(pki: Certificates, context: ssl.SSLContext, options: str, name: str = "") -> Reply:
    async with streams(each(right), context) as served:
        to = f"tls://127.0.0.1{name}:{{}}"
        options = options.replace("FOLDER", str(pki.folder)) + "\nmax_connect_attempts 1"
        return await ask(forwarding([served.port], options, to=to, attempt_s=2, total_s=5))


@pytest.mark.parametrize(
    ("certificate", "options", "name"),
    [
        ("server", "tls FOLDER/ca.crt", ""),
        ("server", "tls FOLDER/ca.crt\ntls_servername dns.test", ""),
        ("named", "tls FOLDER/ca.crt\ntls_servername dns.test", ""),
        ("named", "tls FOLDER/ca.crt", "%dns.test"),
    ],
)
async def test_tls(pki: Certificates, certificate: str, options: str, name: str) -> None:
    assert (await tls_reply(pki, pki.server(certificate), options, name)).answer == ANSWER


@pytest.mark.parametrize(
    ("certificate", "options", "name", "error"),
    [
        ("server", "tls FOLDER/other.crt", "", "failed to verify certificate"),
        ("server", "tls", "", "failed to verify certificate"),
        ("server", "", "", "failed to verify certificate"),
        ("named", "tls FOLDER/ca.crt", "", "IP address mismatch"),
        ("server", "tls FOLDER/ca.crt\ntls_servername other.test", "", "Hostname mismatch"),
        ("server", "tls FOLDER/ca.crt", "%other.test", "Hostname mismatch"),
        ("expired", "tls FOLDER/ca.crt", "", "certificate has expired"),
        ("server", "tls FOLDER/ca.crt\ntls_servername .test", "", "tls: server name '.test': "),
        ("server", f"tls FOLDER/ca.crt\ntls_servername {'a' * 64}.test", "", "label"),
    ],
)
async def test_tls_with_a_server_that_is_not_trusted(
    pki: Certificates, certificate: str, options: str, name: str, error: str
) -> None:
    reply = await tls_reply(pki, pki.server(certificate), options, name)
    assert reply.rcode == Rcode.SERVFAIL
    assert reply.error.startswith("dial tcp 127.0.0.1:")
    assert error in reply.error


@pytest.mark.parametrize(
    ("options", "answered"),
    [("tls FOLDER/client.crt FOLDER/client.key FOLDER/ca.crt", True), ("tls FOLDER/ca.crt", False)],
)
async def test_tls_with_a_certificate_of_ours(pki: Certificates, options: str, answered: bool) -> None:
    context = pki.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(pki.path("ca.crt"))
    reply = await tls_reply(pki, context, options)
    assert (reply.rcode == Rcode.NOERROR) == answered, reply


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_sessions_are_taken_up_again(pki: Certificates, version: ssl.TLSVersion) -> None:
    context = pki.server()
    context.maximum_version = version
    async with streams(each(right), context) as served:
        options = f"tls {pki.path('ca.crt')}\ntls_servername dns.test\nexpire 0s"
        forward = forwarding([served.port], options, to="tls://127.0.0.1:{}", attempt_s=2, total_s=5)
        for _ in range(3):
            assert (await ask(forward)).answer == ANSWER
        assert served.resumed == [False, True, True]
        assert served.names[0] == "dns.test"


async def test_tls_is_asked_by_udp_clients_too_and_counted_so(pki: Certificates) -> None:
    counters = ForwardCounters()
    async with streams(each(right), pki.server()) as served:
        forward = forwarding(
            [served.port],
            f"tls {pki.path('ca.crt')}",
            to="tls://127.0.0.1:{}",
            counters=counters,
            attempt_s=2,
        )
        for protocol in ("udp", "tcp"):
            assert (await ask(forward, query(protocol=protocol))).answer == ANSWER
        name = f"127.0.0.1:{served.port}"
        assert counters.connections == {(name, "tcp-tls", False): 1, (name, "tcp-tls", True): 1}


async def test_no_tls_at_the_other_end() -> None:
    async with streams(each(right)) as served:
        forward = forwarding([served.port], "max_connect_attempts 1", to="tls://127.0.0.1:{}")
        assert (await ask(forward)).rcode == Rcode.SERVFAIL


# HTTPS.


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_https(pki: Certificates, method: str) -> None:
    async with streams(each(right), pki.server(protocols=["h2"]), http=True) as served:
        options = f"tls {pki.path('ca.crt')}\ntls_servername dns.test\ndoh_method {method}"
        forward = forwarding([served.port], options, to="https://127.0.0.1:{}", attempt_s=2, total_s=5)
        names = [f"n{number}.test." for number in range(20)]
        replies = await asyncio.gather(*(ask(forward, query(name)) for name in names))
        assert [reply.answer for reply in replies] == [ANSWER] * 20
        assert served.opened == 1
        assert {octets[:2] for octets in served.asked} == {b"\0\0"}
        request = served.requests[0]
        assert request[":method"] == method
        assert request[":path"].partition("?")[0] == "/dns-query"
        assert request[":authority"] == f"dns.test:{served.port}"
        assert request["accept"] == "application/dns-message"


@pytest.mark.parametrize(
    ("reply", "status", "error"),
    [
        (right, 500, "http: status 500"),
        (lambda _: b"<html>", 200, "http: no reply to this question"),
        (lambda _: b"", 200, "http: no reply to this question"),
        (
            lambda octets: right(octets) + bytes(30_000) * 2 + bytes(5_600),
            200,
            "a body of more than 65535 octets",
        ),
    ],
)
async def test_https_replies_that_are_none(pki: Certificates, reply: object, status: int, error: str) -> None:
    assert callable(reply)
    async with streams(each(reply), pki.server(protocols=["h2"]), http=True) as served:
        served.status = status
        options = f"tls {pki.path('ca.crt')}\nmax_connect_attempts 1"
        forward = forwarding([served.port], options, to="https://127.0.0.1:{}", attempt_s=2, total_s=5)
        found = await ask(forward)
        assert found.rcode == Rcode.SERVFAIL
        assert error in found.error


async def test_https_server_without_http_2(pki: Certificates) -> None:
    async with streams(each(right), pki.server(), http=True) as served:
        options = f"tls {pki.path('ca.crt')}\nmax_connect_attempts 1"
        forward = forwarding([served.port], options, to="https://127.0.0.1:{}", attempt_s=2, total_s=5)
        assert "does not speak HTTP/2" in (await ask(forward)).error


async def test_https_that_closes(pki: Certificates) -> None:
    def script(asked: Sequence[bytes]) -> Sequence[bytes] | None:
        return [right(asked[-1])] if len(asked) == 1 else None

    async with streams(script, pki.server(protocols=["h2"]), http=True) as served:
        options = f"tls {pki.path('ca.crt')}\nmax_connect_attempts 1"
        forward = forwarding([served.port], options, to="https://127.0.0.1:{}", attempt_s=2, total_s=5)
        for _ in range(3):
            assert (await ask(forward)).answer == ANSWER


@pytest.mark.parametrize("seed", range(3))
async def test_https_server_that_sends_noise(pki: Certificates, seed: int) -> None:
    noise = random.Random(seed).randbytes(3_000)
    good_start = b"\0\0\0\4\0\0\0\0\0"  # an empty SETTINGS frame (RFC 9113 section 6.5)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(good_start + noise)
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=pki.server(protocols=["h2"]))
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        options = f"tls {pki.path('ca.crt')}\nmax_connect_attempts 1"
        forward = forwarding([port], options, to="https://127.0.0.1:{}", attempt_s=1, total_s=5)
        reply = await ask(forward)
        assert reply.rcode == Rcode.SERVFAIL
        close_all()


# The status line of HTTP/2.


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b":status", b"200"), (b"x", b"y")], 200),
        ([(b":status", b"abc")], 0),
        ([(b":status", b"2000000")], 0),
        ([(b"x", b"\xff")], 0),
        (None, 0),
    ],
)
def test_status(headers: list[tuple[bytes, bytes]] | None, status: int) -> None:
    assert _status(headers) == status
