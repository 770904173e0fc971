"""Name servers over TCP, TLS and HTTPS that take many questions on a connection, and do what a test tells them."""

import asyncio
import base64
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import h2.config
import h2.connection
import h2.events

from dnsserver.wire.frames import frame
from tests.support.upstream import until

#: The questions so far on one connection, to the messages that are sent now; None closes the connection.
StreamScript = Callable[[Sequence[bytes]], Sequence[bytes] | None]


@dataclass
class Streams:
    """`opened` and `open` connections; `asked` has the octets of every question, `requests` those of HTTP."""

    script: StreamScript
    port: int = 0
    opened: int = 0
    open: int = 0
    asked: list[bytes] = field(default_factory=list)
    resumed: list[bool] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    status: int = 200


def each(reply: Callable[[bytes], bytes]) -> StreamScript:
    """Replies to every question at once."""

    def script(asked: Sequence[bytes]) -> Sequence[bytes]:
        return [reply(asked[-1])]

    return script


@asynccontextmanager
async def streams(
    script: StreamScript, context: ssl.SSLContext | None = None, *, http: bool = False
) -> AsyncIterator[Streams]:
    served = Streams(script)
    writers: list[asyncio.StreamWriter] = []
    if context is not None:
        context.sni_callback = lambda _object, name, _context: served.names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.opened += 1
        served.open += 1
        writers.append(writer)
        tls = writer.get_extra_info("ssl_object")
        served.resumed.append(bool(tls and tls.session_reused))
        try:
            await (_http(served, reader, writer) if http else _frames(served, reader, writer))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            served.open -= 1
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    served.port = listener.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()
        await until(lambda: served.open == 0)


async def _frames(served: Streams, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked: list[bytes] = []
    while True:
        asked.append(await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")))
        served.asked.append(asked[-1])
        replies = served.script(asked)
        if replies is None:
            return
        for reply in replies:
            writer.write(frame(reply))


async def _http(served: Streams, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = h2.connection.H2Connection(
        h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
    )
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    bodies: dict[int, bytes] = {}
    asked: list[bytes] = []
    unsent: dict[int, bytes] = {}
    while data := await reader.read(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                fields = {str(name): str(value) for name, value in event.headers or ()}
                served.requests.append(fields)
                encoded = parse_qs(urlsplit(fields[":path"]).query).get("dns", [""])[0]
                bodies[event.stream_id or 0] = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id or 0] += event.data or b""
            elif isinstance(event, h2.events.StreamEnded):
                asked.append(bodies.pop(event.stream_id or 0))
                served.asked.append(asked[-1])
                replies = served.script(asked)
                if replies is None:
                    return
                for reply in replies:
                    headers = [(":status", str(served.status)), ("content-type", "application/dns-message")]
                    connection.send_headers(event.stream_id or 0, headers)
                    unsent[event.stream_id or 0] = reply
        for stream in list(unsent):
            unsent[stream] = _send(connection, stream, unsent[stream])
            if not unsent[stream]:
                del unsent[stream]
        writer.write(connection.data_to_send())


def _send(connection: h2.connection.H2Connection, stream: int, body: bytes) -> bytes:
    """As much as the client takes now; the rest."""
    while True:
        size = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)
        connection.send_data(stream, body[:size], end_stream=len(body) <= size)
        body = body[size:]
        if not body or not size:
            return body


@dataclass(frozen=True)
class Certificates:
    """PEM files: a CA, and certificates of it."""

    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def server(self, name: str = "server", protocols: Sequence[str] = ()) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(f"{name}.crt"), self.path(f"{name}.key"))
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


def certificates(folder: Path) -> Certificates:
    """A CA; `server` for dns.test and 127.0.0.1, `expired` the same a day ago, `named` for
    dns.test alone, `client`; `other`, a CA of its own."""
    _certificate(folder, "ca", "basicConstraints=critical,CA:TRUE")
    _certificate(folder, "other", "basicConstraints=critical,CA:TRUE")
    _certificate(folder, "server", "subjectAltName=DNS:dns.test,IP:127.0.0.1", "ca")
    _certificate(folder, "named", "subjectAltName=DNS:dns.test", "ca")
    _certificate(folder, "client", "extendedKeyUsage=clientAuth", "ca")
    _expired(folder)
    return Certificates(folder)


def _expired(folder: Path) -> None:
    """The certificate `expired`: its last day was yesterday, which `openssl req` does not make."""
    request, key, made = (str(folder / f"expired.{kind}") for kind in ("csr", "key", "crt"))
    command = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=expired".split()
    command += ["-addext", "subjectAltName=DNS:dns.test,IP:127.0.0.1", "-keyout", key, "-out", request]
    subprocess.run(command, check=True, capture_output=True)
    command = ["openssl", "x509", "-req", "-in", request, "-copy_extensions", "copy", "-days", "-1"]
    command += ["-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"), "-out", made]
    subprocess.run(command, check=True, capture_output=True)


def _certificate(folder: Path, name: str, extension: str, issuer: str = "") -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split()
    command += ["-subj", f"/CN={name}", "-addext", extension]
    command += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
    if issuer:
        command += ["-CA", str(folder / f"{issuer}.crt"), "-CAkey", str(folder / f"{issuer}.key")]
    subprocess.run(command, check=True, capture_output=True)
