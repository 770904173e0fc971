"""Throw-away certificates, made by the `openssl` command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pair:
    """PEM files of a certificate and its key."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Pki:
    """A CA, with a server certificate for 127.0.0.1 and a client certificate."""

    ca: Pair
    server: Pair
    client: Pair


def make_pki(folder: Path) -> Pki:
    ca = _pair(folder, "ca", "/CN=test CA", "basicConstraints=critical,CA:TRUE", None)
    server = _pair(folder, "server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,DNS:localhost", ca)
    client = _pair(folder, "client", "/CN=dnsserver", "extendedKeyUsage=clientAuth", ca)
    return Pki(ca, server, client)


def _pair(folder: Path, name: str, subject: str, extension: str, issuer: Pair | None) -> Pair:
    made = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    signed = () if issuer is None else ("-CA", str(issuer.cert), "-CAkey", str(issuer.key))
    files = ("-keyout", str(made.key), "-out", str(made.cert))
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            *curve,
            "-days",
            "2",
            "-subj",
            subject,
            "-addext",
            extension,
            *signed,
            *files,
        ],
        check=True,
        capture_output=True,
    )
    return made
