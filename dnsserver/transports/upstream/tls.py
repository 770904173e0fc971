"""TLS towards other servers (RFC 7858, RFC 8310): who is trusted, who we are, and sessions that are taken up again."""

import ssl
from dataclasses import dataclass

#: What ALPN calls HTTP/2 (RFC 9113 section 3.2).
ALPN_HTTP2 = "h2"


@dataclass(frozen=True, slots=True)
class ClientTls:
    """`server_name` is the name that the certificate must have, and that is asked for; "" for the address."""

    context: ssl.SSLContext
    server_name: str = ""


class ResumingContext(ssl.SSLContext):
    """Takes up the last session with a server of the same name again: a round trip and a signature less.

    The event loop makes a TLS object for each connection by `wrap_bio` and has no argument for sessions, so they are
    remembered here: that of the previous connection, asked for when the next one begins, as TLS 1.3 tells sessions
    after the handshake only (RFC 8446 section 4.6.1).
    """

    def __init__(self, _protocol: int) -> None:
        """The protocol has been taken by `__new__`."""
        self._previous: dict[str, ssl.SSLObject] = {}

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        name = str(server_hostname)
        previous = self._previous.get(name)
        if session is None and previous is not None:
            session = previous.session
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        self._previous[name] = made
        return made


def client_context(
    ca_file: str = "", cert_file: str = "", key_file: str = "", protocols: tuple[str, ...] = ()
) -> ssl.SSLContext:
    """TLS 1.2 or later, the system's CAs or those of *ca_file* (PEM); *protocols* for ALPN (RFC 7301).

    Raises OSError (ssl.SSLError among them) for files that cannot be used.
    """
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    else:
        context.load_default_certs()
    if cert_file:
        context.load_cert_chain(cert_file, key_file)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context
