"""DNS over TLS by real sockets: answers, certificates, clients that do not keep to the rules."""

import asyncio
import contextlib
import logging
import os
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.edns
import dns.message
import pytest

from dnsserver.plugins.tls.watching import Watch
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.transports.certificates import CertificateFiles, Certificates
from tests.runtime.helpers import PATIENCE_S, rcode, server_of
from tests.support.kube_api.pki import Pki, make_pki
from tests.support.process import free_port
from tests.support.tls import client_context, tls_client
from tests.transports.clients import closed, read_message, soon, tcp_client, until

#: `example.org. A` without EDNS, with its length in front.
FRAME = bytes.fromhex("001d123401000001000000000000076578616d706c65036f72670000010001")


@asynccontextmanager
async def serving(
    folder: Path, *lines: str, tls: str = "tls cert.pem key.pem"
) -> AsyncIterator[ClusterDnsServer]:
    text = "\n".join((f"tls://.:{free_port()} {{", "bind 127.0.0.1", tls, *lines, "whoami", "}"))
    async with server_of(text, folder) as server:
        yield server


def port_of(server: ClusterDnsServer) -> int:
    return server.endpoints[0][1]


async def test_answers(folder: Path, pki: Pki) -> None:
    async with serving(folder) as server:
        query = dns.message.make_query("example.org", "A")
        reply = await dns.asyncquery.tls(
            query,
            "127.0.0.1",
            PATIENCE_S,
            port_of(server),
            ssl_context=client_context(pki),
            server_hostname="localhost",
        )
        assert rcode(reply) == "NOERROR"
        assert len(reply.additional) == 2
        assert server.endpoints == (("127.0.0.1", port_of(server)),)


async def test_there_is_no_udp(folder: Path) -> None:
    async with serving(folder) as server:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", port_of(server))
        )
        transport.close()  # the port was free


async def test_many_questions_on_one_connection_come_back_in_any_order(folder: Path, pki: Pki) -> None:
    async with (
        serving(folder) as server,
        tls_client(port_of(server), client_context(pki, "dot")) as (reader, writer),
    ):
        frames = [FRAME[:2] + number.to_bytes(2, "big") + FRAME[4:] for number in range(300)]
        writer.write(b"".join(frames))
        replies = [await read_message(reader) for _ in frames]
        assert {reply[:2] for reply in replies} == {frame[2:4] for frame in frames}
        found = writer.get_extra_info("ssl_object")
        assert found.selected_alpn_protocol() == "dot"
        assert found.version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("version", "good"), [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)]
)
async def test_versions(version: ssl.TLSVersion, good: bool, folder: Path, pki: Pki) -> None:
    context = client_context(pki)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1") if not good else contextlib.nullcontext():
        context.minimum_version = context.maximum_version = version
    async with serving(folder) as server:
        if not good:
            with pytest.raises(ssl.SSLError):
                async with tls_client(port_of(server), context):
                    pass
            await until(lambda: server.counters.tls_failed == 1)
            return
        async with tls_client(port_of(server), context) as (reader, writer):
            writer.write(FRAME)
            assert (await read_message(reader))[:2] == FRAME[2:4]


async def test_a_client_that_ends_its_questions_has_its_answers(folder: Path, pki: Pki) -> None:
    """close_notify of one side leaves the other open (RFC 8446 section 6.1)."""
    async with serving(folder) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context(pki).wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await soon(reader.read(65_536)))
        tls.write(FRAME)
        with pytest.raises(ssl.SSLWantReadError):
            tls.unwrap()
        writer.write(outgoing.read())
        writer.write_eof()
        assert len(await closed(reader)) > len(FRAME)
        writer.close()
        await writer.wait_closed()
        assert server.counters.tcp_sent == 1
        assert server.counters.tls_failed == 0


# Padding.


async def padded_size(pki: Pki, server: ClusterDnsServer, *, edns: bool, padding: bool) -> int:
    query = dns.message.make_query("example.org", "A", use_edns=0 if edns else False)
    if padding:
        query.use_edns(0, options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(50))])
    async with tls_client(port_of(server), client_context(pki)) as (reader, writer):
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        reply = await read_message(reader)
    options = [int(option.otype) for option in dns.message.from_wire(reply).options]
    assert options == ([12] if padding else [])
    return len(reply)


async def test_replies_are_padded_for_those_who_pad(folder: Path, pki: Pki) -> None:
    """RFC 8467 section 4.1: to a multiple of 468 octets."""
    async with serving(folder) as server:
        assert await padded_size(pki, server, edns=True, padding=True) == 468
        assert await padded_size(pki, server, edns=True, padding=False) < 200
        assert await padded_size(pki, server, edns=False, padding=False) < 200


async def test_no_padding_where_all_can_read_it() -> None:
    query = dns.message.make_query("example.org", "A")
    query.use_edns(0, options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(50))])
    port = free_port()
    async with server_of(f".:{port} {{\nbind 127.0.0.1\nwhoami\n}}"):
        reply = await dns.asyncquery.tcp(query, "127.0.0.1", PATIENCE_S, port)
    assert reply.options == ()


# Certificates of clients.

VERIFY = "tls cert.pem key.pem ca.pem {{\nclient_auth {}\n}}"


@pytest.mark.parametrize(
    ("client_auth", "with_certificate", "good"),
    [
        ("nocert", False, True),
        ("request", False, True),
        ("verify_if_given", False, True),
        ("verify_if_given", True, True),
        ("require_and_verify", False, False),
        ("require_and_verify", True, True),
    ],
)
async def test_certificates_of_clients(
    client_auth: str, with_certificate: bool, good: bool, folder: Path, pki: Pki
) -> None:
    context = client_context(pki, certificate=with_certificate)
    assert await is_answered(folder, VERIFY.format(client_auth), context) is good


@pytest.mark.parametrize("client_auth", ["verify_if_given", "require_and_verify"])
async def test_a_certificate_of_another_ca_is_none(
    client_auth: str, folder: Path, pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> None:
    context = client_context(pki)
    other = make_pki(tmp_path_factory.mktemp("other"))
    context.load_cert_chain(other.client.cert, other.client.key)
    assert not await is_answered(folder, VERIFY.format(client_auth), context)


async def is_answered(folder: Path, tls: str, context: ssl.SSLContext) -> bool:
    async with serving(folder, tls=tls) as server:
        try:
            async with tls_client(port_of(server), context) as (reader, writer):
                writer.write(FRAME)
                await read_message(reader)
        except (ssl.SSLError, asyncio.IncompleteReadError, ConnectionError):
            await until(lambda: server.counters.tls_failed == 1)
            return False
        return True


async def test_secrets_are_logged_when_asked_for(
    folder: Path, pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    tls = "tls cert.pem key.pem {\nkeylog secrets\n}"
    assert await is_answered(folder, tls, client_context(pki))
    assert "SERVER_HANDSHAKE_TRAFFIC_SECRET" in (folder / "secrets").read_text()
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o600
    assert f'Writing TLS Key Log to "{folder}/secrets"' in caplog.text


# Certificates that change.


async def shown(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with tls_client(port, context) as (_, writer):
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(found, bytes)
        return found


def replaced(path: Path, content: bytes) -> None:
    """As Kubernetes and cert-manager do it: another file takes the name."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.rename(path)


async def test_a_renewed_certificate_is_shown_without_a_reload(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dnsserver")
    renewed = make_pki(tmp_path_factory.mktemp("renewed")).server
    async with serving(folder) as server:
        port = port_of(server)
        (certificates,) = [plugin.certificates for plugin in server.plugins() if plugin.certificates]
        watch = Watch(certificates, look_s=0.01)
        before = await shown(port)
        async with watch.running():
            replaced(folder / "cert.pem", renewed.cert.read_bytes())
            await until(lambda: "private key does not match public key" in caplog.text)
            assert await shown(port) == before
            replaced(folder / "key.pem", renewed.key.read_bytes())
            await until(lambda: f"certificate {folder}/cert.pem was read again" in caplog.text)
        assert await shown(port) == ssl.PEM_cert_to_DER_cert(renewed.cert.read_text())
        assert caplog.text.count("private key does not match") == 1, "once for each change"


async def test_a_certificate_that_has_gone_is_still_shown(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(folder) as server:
        (certificates,) = [plugin.certificates for plugin in server.plugins() if plugin.certificates]
        before = await shown(port_of(server))
        (folder / "cert.pem").unlink()
        Watch(certificates).look()
        Watch(certificates).look()
        assert caplog.text.count("connections have the one from before") == 1
        assert await shown(port_of(server)) == before


async def test_files_that_stay_are_read_once(folder: Path) -> None:
    files = setup_files(folder)
    assert not files.refresh()
    assert not files.refresh()


def setup_files(folder: Path) -> Certificates:
    return Certificates(CertificateFiles(cert=folder / "cert.pem", key=folder / "key.pem"))


# Clients that do not keep to the rules.


async def test_garbage_is_cut_and_others_are_served(folder: Path, pki: Pki) -> None:
    rng = random.Random(7)
    async with serving(folder) as server:
        port = port_of(server)
        for number in range(60):
            async with tcp_client("127.0.0.1", port) as (reader, writer):
                writer.write(rng.randbytes(rng.randrange(6, 2_000)) if number else FRAME)
                writer.write_eof()
                await closed(reader)
        await until(lambda: server.counters.tcp_connections_now == 0)
        async with tls_client(port, client_context(pki)) as (reader, writer):
            writer.write(FRAME)
            assert (await read_message(reader))[:2] == FRAME[2:4]
        assert server.counters.tls_failed > 30


async def test_damaged_records_end_the_connection(folder: Path, pki: Pki) -> None:
    """A proxy between client and server changes one octet of what the client sends after the handshake."""
    rng = random.Random(8)
    async with serving(folder) as server:
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = client_context(pki).wrap_bio(incoming, outgoing, server_hostname="localhost")
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await soon(reader.read(65_536)))
            writer.write(outgoing.read())
            tls.write(FRAME)
            record = bytearray(outgoing.read())
            record[rng.randrange(5, len(record))] ^= 1 << rng.randrange(8)
            writer.write(record)
            writer.write_eof()
            await closed(reader)
            writer.transport.abort()
        await until(lambda: server.counters.tcp_connections_now == 0)
        assert server.counters.tls_failed == 20
        assert server.counters.tcp_received == 0


async def test_a_handshake_that_never_comes(folder: Path) -> None:
    async with serving(folder, "timeouts {\nread 1s\n}") as server:
        async with (
            tcp_client("127.0.0.1", port_of(server)) as (silent, _),
            tcp_client("127.0.0.1", port_of(server)) as (begun, writer),
        ):
            writer.write(b"\x16\x03\x01\x02\x00\x01")
            begun_at = asyncio.get_running_loop().time()
            assert await closed(silent) == b""
            assert await closed(begun) == b""
            assert 0.8 < asyncio.get_running_loop().time() - begun_at < 4
        assert server.counters.tcp_slow == 2


async def test_hundreds_of_idle_clients_do_not_keep_others_waiting(folder: Path, pki: Pki) -> None:
    context = client_context(pki)
    async with serving(folder, "timeouts {\nread 60s\nidle 60s\n}") as server:
        port, streams = port_of(server), []
        begun = resident()
        for _ in range(15):
            opening = [
                asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
                for _ in range(20)
            ]
            streams += await asyncio.wait_for(asyncio.gather(*opening), 30)
        for reader, writer in streams:
            writer.write(FRAME)
            assert (await read_message(reader))[:2] == FRAME[2:4]
        assert server.counters.tcp_connections_now == 300
        # Both ends are in this process: the client's TLS has some 300 KiB of the event loop's.
        assert (resident() - begun) / 300 < 600_000
        asked_at = asyncio.get_running_loop().time()
        async with tls_client(port, context) as (reader, writer):
            writer.write(FRAME)
            await read_message(reader)
        assert asyncio.get_running_loop().time() - asked_at < 2
        for _, writer in streams:
            writer.transport.abort()
        await until(lambda: server.counters.tcp_connections_now == 0)


def resident() -> int:
    """Octets of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_the_end_answers_what_has_been_asked(folder: Path, pki: Pki) -> None:
    async with serving(folder) as server:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port_of(server), ssl=client_context(pki), server_hostname="localhost"
        )
        writer.write(FRAME)
        await read_message(reader)
        writer.write(FRAME)
    assert (await read_message(reader))[:2] == FRAME[2:4]
    assert await closed(reader) == b""
    writer.transport.abort()
