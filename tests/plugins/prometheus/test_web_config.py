"""prometheus: HTTPS, as a file of Prometheus's form says."""

import asyncio
import ssl
from pathlib import Path

import pytest

from dnsserver.config import ConfigError
from dnsserver.plugins.prometheus import setup
from tests.plugins.helpers import directive, site
from tests.runtime.helpers import PATIENCE_S, server_of
from tests.support.kube_api.pki import Pki, make_pki
from tests.support.process import free_port


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def config(folder: Path, pki: Pki, *more: str) -> Path:
    path = folder / "web.yml"
    lines = (f"cert_file: {pki.server.cert}", f"key_file: {pki.server.key}", *more)
    path.write_text("tls_server_config:\n" + "".join(f"  {line}\n" for line in lines))
    return path


def client(
    pki: Pki, *, shows_certificate: bool = False, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=pki.ca.cert)
    context.maximum_version = most
    if shows_certificate:
        context.load_cert_chain(pki.client.cert, pki.client.key)
    return context


async def scraped(port: int, context: ssl.SSLContext | None) -> bytes:
    """All that comes; nothing when the server hangs up, be it in the handshake (TLS 1.2) or later (1.3)."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except (ssl.SSLError, ConnectionError):
        return b""
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except (ssl.SSLError, ConnectionError):
        return b""
    finally:
        writer.transport.abort()


def corefile(folder: Path, http: int) -> str:
    return f".:{free_port()} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http} {{\ntls {folder}/web.yml\n}}\nwhoami\n}}\n"


async def test_metrics_by_https_only(tmp_path: Path, pki: Pki) -> None:
    config(tmp_path, pki)
    http = free_port()
    async with server_of(corefile(tmp_path, http)):
        found = await scraped(http, client(pki))
        assert found.startswith(b"HTTP/1.1 200")
        assert b"coredns_build_info" in found
        assert b"200" not in await scraped(http, None)


async def test_clients_have_to_show_a_certificate(tmp_path: Path, pki: Pki) -> None:
    config(tmp_path, pki, "client_auth_type: RequireAndVerifyClientCert", f"client_ca_file: {pki.ca.cert}")
    http = free_port()
    async with server_of(corefile(tmp_path, http)):
        assert b"200" in (await scraped(http, client(pki, shows_certificate=True)))[:20]
        assert await scraped(http, client(pki)) == b""


async def test_least_version(tmp_path: Path, pki: Pki) -> None:
    config(tmp_path, pki, "min_version: TLS13")
    http = free_port()
    async with server_of(corefile(tmp_path, http)):
        old = client(pki)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await scraped(http, old) == b""
        assert b"200" in (await scraped(http, client(pki)))[:20]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[", "no YAML"),
        ("tls_server_config: 1", "tls_server_config with cert_file and key_file is missing"),
        ("tls_server_config: {}", "cert_file must name a file"),
        ("tls_server_config: {cert_file: a}", "key_file must name a file"),
        ("tls_server_config: {cert_file: gone.pem, key_file: b}", "gone.pem"),
        ("tls_server_config: {cert_file: CERT, key_file: CERT}", "CERT"),
        ("tls_server_config: {curves: 1}", "curves is not supported; there are cert_file"),
        (
            "tls_server_config: {min_version: TLS10}",
            "min_version TLS10 is not supported; there are TLS12, TLS13",
        ),
        ("tls_server_config: {cert_file: CERT, key_file: KEY, client_auth_type: x}", "client_auth_type x"),
        (
            "tls_server_config: {cert_file: CERT, key_file: KEY, client_auth_type: RequireAndVerifyClientCert}",
            "client_ca_file must name a file",
        ),
        (
            "tls_server_config: {cert_file: CERT, key_file: KEY}\nbasic_auth_users: {a: b}",
            "put a proxy in front",
        ),
        ("tls_server_config: {cert_file: CERT, key_file: KEY}\nusers: {a: b}", "users is unknown"),
    ],
)
def test_refused(text: str, error: str, tmp_path: Path, pki: Pki) -> None:
    names = {"CERT": str(pki.server.cert), "KEY": str(pki.server.key)}
    for short, path in names.items():
        text, error = text.replace(short, path), error.replace(short, path)
    (tmp_path / "web.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        setup(directive(f"prometheus {{\ntls {tmp_path}/web.yml\n}}"), site())
    assert error in str(caught.value)
    assert str(caught.value).endswith("(Corefile:3)")


def test_twice_is_refused(tmp_path: Path, pki: Pki) -> None:
    path = config(tmp_path, pki)
    with pytest.raises(ConfigError, match="tls block already specified"):
        setup(directive(f"prometheus {{\ntls {path}\ntls {path}\n}}"), site())


async def test_a_port_is_with_tls_or_without(tmp_path: Path, pki: Pki) -> None:
    config(tmp_path, pki)
    http = free_port()
    text = (
        corefile(tmp_path, http)
        + f"a.test:{free_port()} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\n}}\n"
    )
    with pytest.raises(ConfigError, match="both with and without TLS"):
        server_of(text)
