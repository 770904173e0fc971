"""The certificate of a listener: files read into TLS contexts, and again when they change."""

import os
import ssl
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class CertificateError(Exception):
    """Files that make no TLS; the text says which and why."""


class ClientAuth(Enum):
    """What is asked of clients, by its name in the Corefile."""

    NOCERT = "nocert"
    REQUEST = "request"
    VERIFY_IF_GIVEN = "verify_if_given"
    REQUIRE_AND_VERIFY = "require_and_verify"


#: The client is not asked where nothing would be done with what it sends.
_VERIFICATION = {
    ClientAuth.NOCERT: ssl.CERT_NONE,
    ClientAuth.REQUEST: ssl.CERT_NONE,
    ClientAuth.VERIFY_IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRE_AND_VERIFY: ssl.CERT_REQUIRED,
}

#: What clients may choose from in TLS (RFC 7301), the best first, by the scheme of a server key.
PROTOCOLS = {"tls": ("dot",), "https": ("h2", "http/1.1")}

#: Of a file: what differs once it has been written, or another has been put in its place.
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """PEM files: the certificate with its chain, its key, and the CAs of clients (None: those of the system).
    `keylog`: where the secrets of every connection are written."""

    cert: Path
    key: Path
    ca: Path | None = None
    client_auth: ClientAuth = ClientAuth.NOCERT
    keylog: Path | None = None

    @property
    def verifies(self) -> bool:
        """Whether certificates of clients are looked at."""
        return _VERIFICATION[self.client_auth] != ssl.CERT_NONE

    def read(self, scheme: str) -> ssl.SSLContext:
        """A context for servers of *scheme*. Raises CertificateError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        self._load_pair(context)
        context.verify_mode = _VERIFICATION[self.client_auth]
        if self.ca is not None:
            self._load_ca(context, self.ca)
        elif context.verify_mode != ssl.CERT_NONE:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(PROTOCOLS[scheme])
        if self.keylog is not None:
            self._open_keylog(context, self.keylog)
        return context

    def stamps(self) -> tuple[_Stamp | None, ...]:
        """How the files are now; None for one that is not there."""
        return tuple(_stamp(path) for path in (self.cert, self.key, self.ca) if path is not None)

    def _load_pair(self, context: ssl.SSLContext) -> None:
        for path, what in ((self.cert, "certificate"), (self.key, "key")):
            if "-----BEGIN " not in _text(path, "could not load TLS cert: "):
                raise CertificateError(
                    f"could not load TLS cert: tls: failed to find any PEM data in {what} input ({path})"
                )
        try:
            context.load_cert_chain(self.cert, self.key, password=self._no_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                reason = "tls: private key does not match public key"
            else:
                reason = f"tls: {error.reason or error}"
            raise CertificateError(f"could not load TLS cert: {reason} ({self.cert}, {self.key})") from None

    def _no_password(self) -> str:
        raise CertificateError(f"could not load TLS cert: the key is encrypted: {self.key}")

    def _load_ca(self, context: ssl.SSLContext, path: Path) -> None:
        text = _text(path, f"error reading {path}: ")
        try:
            context.load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError) as error:
            raise CertificateError(
                f"could not read root certs: {path}: no certificate in it ({error})"
            ) from None

    def _open_keylog(self, context: ssl.SSLContext, path: Path) -> None:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            context.keylog_filename = str(path)
        except OSError as error:
            raise CertificateError(f'unable to write TLS Key Log to "{path}": {error.strerror}') from None


class Certificates:
    """The contexts of *files*. Raises CertificateError."""

    def __init__(self, files: CertificateFiles) -> None:
        self.files = files
        self._stamps = files.stamps()
        self._contexts = {scheme: files.read(scheme) for scheme in PROTOCOLS}

    def __repr__(self) -> str:
        return f"<Certificates {self.files.cert}>"

    def context(self, scheme: str) -> ssl.SSLContext:
        """For a new connection to a listener of *scheme*."""
        return self._contexts[scheme]

    def refresh(self) -> bool:
        """Read the files again if they have changed, and say so. Raises CertificateError, once for each change; then
        new connections have what was read before."""
        stamps = self.files.stamps()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        self._contexts = {scheme: self.files.read(scheme) for scheme in PROTOCOLS}
        return True


def _text(path: Path, before: str) -> str:
    try:
        return path.read_text("latin-1")
    except OSError as error:
        reason = error.strerror or str(error)
        raise CertificateError(f"{before}open {path}: {reason[:1].lower()}{reason[1:]}") from None


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
