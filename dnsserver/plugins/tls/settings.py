"""What `tls` is told in the Corefile."""

from dataclasses import replace
from pathlib import Path

from dnsserver.config import Directive, Occurrence, Property
from dnsserver.transports.certificates import CertificateFiles, ClientAuth


def files_from(directive: Directive, directory: Path) -> CertificateFiles:
    """The files that the last occurrence names; relative paths count from *directory*."""
    files = [_files(occurrence, directory) for occurrence in directive.occurrences]
    return files[-1]


def _files(occurrence: Occurrence, directory: Path) -> CertificateFiles:
    if not occurrence.arguments:
        raise occurrence.error(
            "certificates by ACME are not supported: have them fetched by cert-manager or an ACME client, and name"
            " the files, `tls CERT KEY`"
        )
    paths = [directory / token.text for token in occurrence.between(2, 3)]
    files = CertificateFiles(cert=paths[0], key=paths[1], ca=paths[2] if len(paths) == 3 else None)
    for line in occurrence.properties:
        match line.text:
            case "client_auth":
                files = replace(files, client_auth=_client_auth(line))
            case "keylog":
                files = replace(files, keylog=(directory / line.one().text).absolute())
            case _:
                raise line.error(f"unknown option '{line.text}'", line.name)
    return files


def _client_auth(line: Property) -> ClientAuth:
    token = line.one()
    if token.text == "require":
        raise line.error(
            "client_auth require is not supported: it takes any certificate, also one that the client made for"
            " itself; use require_and_verify with the CA of your clients",
            token,
        )
    try:
        return ClientAuth(token.text)
    except ValueError:
        raise line.error(f"unknown authentication type '{token.text}'", token) from None
