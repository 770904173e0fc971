"""tls: what it is told, and files that make no certificate."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dnsserver.config import ConfigError
from dnsserver.plugins.tls import setup
from dnsserver.transports.certificates import CertificateFiles, ClientAuth
from tests.plugins.helpers import directive, site
from tests.runtime.helpers import server_of
from tests.support.kube_api.pki import Pki


def files(text: str, folder: Path) -> CertificateFiles:
    plugin = setup(directive(text), site(directory=folder))
    assert plugin.certificates is not None
    return plugin.certificates.files


def error(text: str, folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        setup(directive(text), site(directory=folder))
    return str(caught.value).replace(str(folder), "DIR")


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("tls cert.pem key.pem", {}),
        ("tls cert.pem key.pem ca.pem", {"ca": "ca.pem"}),
        ("tls cert.pem key.pem {\n}", {}),
        ("tls cert.pem key.pem {\nclient_auth nocert\n}", {}),
        ("tls cert.pem key.pem {\nclient_auth request\n}", {"client_auth": ClientAuth.REQUEST}),
        (
            "tls cert.pem key.pem ca.pem {\nclient_auth verify_if_given\n}",
            {"ca": "ca.pem", "client_auth": ClientAuth.VERIFY_IF_GIVEN},
        ),
        (
            "tls cert.pem key.pem ca.pem {\nclient_auth require_and_verify\n}",
            {"ca": "ca.pem", "client_auth": ClientAuth.REQUIRE_AND_VERIFY},
        ),
        ("tls cert.pem key.pem {\nkeylog secrets\n}", {"keylog": "secrets"}),
        ("tls ca.pem key.pem {\nclient_auth x\n}\ntls cert.pem key.pem", None),
    ],
)
def test_settings(text: str, changes: dict[str, object] | None, folder: Path) -> None:
    plain = CertificateFiles(cert=folder / "cert.pem", key=folder / "key.pem")
    if changes is None:
        assert "unknown authentication type 'x'" in error(text, folder)
        return
    wanted = {name: folder / value if isinstance(value, str) else value for name, value in changes.items()}
    assert files(text, folder) == replace(plain, **wanted)  # type: ignore[arg-type]


def test_absolute_paths(folder: Path) -> None:
    found = files(f"tls {folder}/cert.pem {folder}/key.pem", Path("/nowhere"))
    assert found == CertificateFiles(cert=folder / "cert.pem", key=folder / "key.pem")


def test_the_last_of_several_counts(folder: Path, pki: Pki) -> None:
    assert (
        files(f"tls {pki.client.cert} {pki.client.key}\ntls cert.pem key.pem", folder).cert
        == folder / "cert.pem"
    )


ACME = (
    "certificates by ACME are not supported: have them fetched by cert-manager or an ACME client, and name the files,"
    " `tls CERT KEY`"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "tls cert.pem",
            "2 - Error during parsing: Wrong argument count or unexpected line ending after 'cert.pem'",
        ),
        (
            "tls cert.pem key.pem ca.pem more",
            "2 - Error during parsing: Wrong argument count or unexpected line ending after 'more'",
        ),
        ("tls", f"2 - Error during parsing: {ACME}"),
        ("tls {\nacme example.org\n}", f"2 - Error during parsing: {ACME}"),
        (
            "tls cert.pem key.pem {\nclient_auth\n}",
            "3 - Error during parsing: Wrong argument count or unexpected line ending after 'client_auth'",
        ),
        (
            "tls cert.pem key.pem {\nclient_auth maybe\n}",
            "3 - Error during parsing: unknown authentication type 'maybe'",
        ),
        (
            "tls cert.pem key.pem {\nclient_auth require\n}",
            "3 - Error during parsing: client_auth require is not supported: it takes any certificate, also one that"
            " the client made for itself; use require_and_verify with the CA of your clients",
        ),
        (
            "tls cert.pem key.pem {\nkeylog\n}",
            "3 - Error during parsing: Wrong argument count or unexpected line ending after 'keylog'",
        ),
        ("tls cert.pem key.pem {\nciphers all\n}", "3 - Error during parsing: unknown option 'ciphers'"),
    ],
)
def test_refused_lines(text: str, told: str, folder: Path) -> None:
    assert error(text, folder) == f"plugin/tls: Corefile:{told}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tls no.pem key.pem", "could not load TLS cert: open DIR/no.pem: no such file or directory"),
        ("tls cert.pem no.pem", "could not load TLS cert: open DIR/no.pem: no such file or directory"),
        ("tls . key.pem", "could not load TLS cert: open DIR: is a directory"),
        (
            "tls empty.pem key.pem",
            "could not load TLS cert: tls: failed to find any PEM data in certificate input (DIR/empty.pem)",
        ),
        (
            "tls cert.pem empty.pem",
            "could not load TLS cert: tls: failed to find any PEM data in key input (DIR/empty.pem)",
        ),
        (
            "tls cert.pem other.pem",
            "could not load TLS cert: tls: private key does not match public key (DIR/cert.pem, DIR/other.pem)",
        ),
        ("tls cert.pem encrypted.pem", "could not load TLS cert: the key is encrypted: DIR/encrypted.pem"),
        (
            "tls cert.pem key.pem no.pem",
            "error reading DIR/no.pem: open DIR/no.pem: no such file or directory",
        ),
        (
            "tls cert.pem key.pem {\nkeylog no/such/file\n}",
            'unable to write TLS Key Log to "DIR/no/such/file": No such file or directory',
        ),
    ],
)
def test_refused_files(text: str, told: str, folder: Path, pki: Pki) -> None:
    (folder / "empty.pem").write_text("")
    (folder / "other.pem").write_bytes(pki.client.key.read_bytes())
    subprocess.run(
        ["openssl", "ec", "-in", "key.pem", "-out", "encrypted.pem", "-aes256", "-passout", "pass:x"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    line = 3 if "\n" in text else 2
    assert error(text, folder) in {f"plugin/tls: {told} (Corefile:{n})" for n in (2, line)}


@pytest.mark.parametrize(
    "content", ["no pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_ca_that_is_none(content: str, folder: Path) -> None:
    (folder / "ca.pem").write_text(content)
    assert error("tls cert.pem key.pem ca.pem", folder).startswith(
        "plugin/tls: could not read root certs: DIR/ca.pem: no certificate in it ("
    )


def test_certificate_that_is_garbage(folder: Path) -> None:
    (folder / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert error("tls cert.pem key.pem", folder).startswith("plugin/tls: could not load TLS cert: tls: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "tls://.:8853 {\nwhoami\n}",
            "cannot serve tls://:8853 - it has no certificate: add `tls CERT KEY` (Corefile:1)",
        ),
        (
            ".:8853 {\nwhoami\n}\nhttps://.:8853 {\nwhoami\n}",
            "cannot serve https://:8853 - dns://:8853 listens on the same TCP port (Corefile:4)",
        ),
        (
            "tls://one.test:8853 {\ntls cert.pem key.pem\nwhoami\n}\n"
            "tls://two.test:8853 {\ntls cert.pem key.pem ca.pem\nwhoami\n}",
            "cannot serve tls://:8853 - its server blocks have different `tls`, and a client has its certificate before"
            " it names a zone: write the same in all, or use ports of their own (Corefile:1)",
        ),
        (
            "quic://. {\nwhoami\n}",
            "Corefile:1 - Error during parsing: scheme 'quic://' of 'quic://.' is not supported: "
            "DNS over QUIC (RFC 9250) needs a QUIC stack; tls:// encrypts as well",
        ),
        (
            "https3://. {\nwhoami\n}",
            "Corefile:1 - Error during parsing: scheme 'https3://' of 'https3://.' is not supported: "
            "HTTP/3 needs a QUIC stack; https:// serves the same clients by HTTP/2",
        ),
        (
            "grpc://. {\nwhoami\n}",
            "Corefile:1 - Error during parsing: scheme 'grpc://' of 'grpc://.' is not supported: "
            "DNS over gRPC is spoken by CoreDNS alone; use tls:// or https:// between servers",
        ),
    ],
)
def test_listeners_that_cannot_be(text: str, told: str, folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        server_of(text, folder)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("text", "clients"),
    [
        ("tls cert.pem key.pem", "nocert"),
        ("tls cert.pem key.pem {\nclient_auth verify_if_given\n}", "verify_if_given, of the system's CAs"),
        (
            "tls cert.pem key.pem ca.pem {\nclient_auth require_and_verify\n}",
            "require_and_verify, of DIR/ca.pem",
        ),
    ],
)
async def test_check(text: str, clients: str, folder: Path) -> None:
    plugin = setup(directive(text), site(directory=folder))
    assert plugin.check is not None
    lines = [line.replace(str(folder), "DIR") for line in await plugin.check()]
    assert lines == ["certificate DIR/cert.pem, key DIR/key.pem", f"client certificates: {clients}"]
