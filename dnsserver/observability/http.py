"""A small HTTP/1.1 server for probes: /health, /ready, /metrics [h11].

h11 (9 ms to import) does the protocol; aiohttp.web (140 ms) would cost more than the rest of a start.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import h11

from dnsserver.observability.http_sockets import bind_http, label

_log = logging.getLogger(__name__)

#: Seconds. For a whole request, for taking an answer, and between two requests: CoreDNS's limits.
REQUEST_S = WRITE_S = IDLE_S = 5.0
#: Seconds. For requests that have begun when others take the sockets over.
FINISH_S = 1.0
#: Open connections; one more is closed at once. A kubelet uses one per probe, Prometheus one.
CONNECTIONS_MAX = 128
#: Octets. Request line and headers.
HEAD_MAX = 16_384
#: Octets. Body of a request; probes have none, and where they have it is ignored.
BODY_MAX = 65_536
#: Turns of the event loop from accept() to the connection's task, without TLS, and one to spare.
_QUIET_ROUNDS = 4
#: Octets taken from a connection at once.
_READ_OCTETS = 4_096


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"

    @classmethod
    def text(cls, status: int, body: str) -> Self:
        return cls(status, body.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Seconds; see the constants."""

    request_s: float = REQUEST_S
    write_s: float = WRITE_S
    idle_s: float = IDLE_S
    connections: int = CONNECTIONS_MAX


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`headers` by name in lower case, the last of each; `body` has BODY_MAX octets at most."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


#: Answers any request, whatever its path.
Asked = Callable[[HttpRequest], Awaitable[HttpAnswer]]

_NOT_FOUND = HttpAnswer.text(404, "404 page not found\n")
_FAILED = HttpAnswer.text(500, "500 internal server error\n")
_TOO_LARGE = HttpAnswer.text(413, "413 request entity too large\n")
_DEFAULT_LIMITS = HttpLimits()


class HttpListener:
    """Answer requests for the paths in *routes*, whatever the method; with *asked*, that answers all others.

    On *sockets*, which are its own from then on, or on those that `start` binds: host "" means every address; port 0
    picks a free one, see `port`. With *tls*, by HTTPS only.
    """

    def __init__(
        self,
        host: str,
        port: int,
        routes: Mapping[str, Callable[[], HttpAnswer]],
        *,
        sockets: Sequence[socket.socket] = (),
        limits: HttpLimits = _DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
        asked: Asked | None = None,
    ) -> None:
        self._asked = asked
        self.host, self.port = host, port
        self._routes = routes
        self._limits = limits
        self._tls = tls
        self._sockets = tuple(sockets)
        self._servers: list[asyncio.Server] = []
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self._finishing = False
        self._group: asyncio.TaskGroup | None = None
        self._main: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<HttpListener {label(self.host, self.port)} connections={len(self._connections)}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen, or raise `HttpListenError`."""
        self._sockets = self._sockets or tuple(bind_http(self.host, self.port))
        self.port = int(self._sockets[0].getsockname()[1])
        started = asyncio.Event()
        self._main = asyncio.create_task(self._run(started), name=repr(self))
        try:
            await started.wait()
            for sock in self._sockets:
                server = await asyncio.start_server(
                    self._connected,
                    sock=sock,
                    limit=HEAD_MAX,
                    ssl=self._tls,
                    ssl_handshake_timeout=None if self._tls is None else self._limits.request_s,
                )
                self._servers.append(server)
        except BaseException:
            await self.close()
            raise

    async def close(self, *, handed_over: bool = False) -> None:
        """Stop listening, wherever else somebody has the same sockets, and cut all connections.

        *handed_over*: others have them and go on with them; what was asked here is answered, for a second at most.
        """
        try:
            if handed_over:
                await self._accept_no_more()
        finally:
            self._close_sockets(handed_over)
        if handed_over:
            await self._finish()
        if self._main is not None:
            self._main.cancel()
            await asyncio.wait([self._main])
            await asyncio.sleep(0)  # the event loop loses aborted connections in its next round

    def _close_sockets(self, handed_over: bool) -> None:
        for sock in self._sockets if not handed_over else ():
            with contextlib.suppress(OSError):  # a socket that does not listen any more
                sock.shutdown(socket.SHUT_RDWR)
        for server in self._servers:
            server.close()
        for sock in self._sockets:  # which a server that never came to be has not closed
            sock.close()

    async def _accept_no_more(self) -> None:
        """What waits in the sockets is others' from now on; what was taken from them becomes a connection first, but
        for one whose TLS handshake is under way, which is cut.

        Of a server that is closed while that is under way asyncio forgets the connection, which nobody closes then.
        """
        loop = asyncio.get_running_loop()
        for server in self._servers:
            for sock in server.sockets:
                loop.remove_reader(sock.fileno())
        for _ in range(_QUIET_ROUNDS):
            await asyncio.sleep(0)

    async def _finish(self) -> None:
        """Until every request that was begun has its answer."""
        self._finishing = True
        for task, connection in self._connections.items():
            if connection.resting:
                task.cancel()
        if self._connections:
            await asyncio.wait(set(self._connections), timeout=FINISH_S)

    async def _run(self, started: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as self._group:
            started.set()
            await asyncio.Event().wait()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        full = len(self._connections) >= self._limits.connections
        if full or self._group is None or self._main is None or self._main.cancelling():
            writer.transport.abort()
            return
        connection = _Connection(reader, writer, self._limits)
        task = self._group.create_task(self._serve(connection), name=f"http {self!r}")
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _serve(self, connection: "_Connection") -> None:
        try:
            while await connection.serve_one(self._answer) and not self._finishing:
                pass
            await connection.finish()
        except (OSError, TimeoutError):
            pass  # the client has gone, or says nothing: there is nobody to tell
        except Exception:
            _log.exception("%r: a connection failed", self)

    async def _answer(self, request: HttpRequest) -> HttpAnswer:
        route = self._routes.get(request.path)
        try:
            if route is not None:
                return route()
            return _NOT_FOUND if self._asked is None else await self._asked(request)
        except Exception:
            _log.exception("%r: %s failed", self, request.path)
            return _FAILED


class _Connection:
    """One client: requests one after another."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: HttpLimits
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_MAX)
        self._answered = False
        self.resting = False
        """Between two requests: nothing is owed to the client."""

    async def serve_one(self, answer: Asked) -> bool:
        """Read a request and answer it; False when it was the last."""
        try:
            request = await self._request()
            if request is None:
                return False
            body = await self._body_read()
        except h11.RemoteProtocolError as error:
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                status = error.error_status_hint
                await self._send(HttpAnswer.text(status, f"{status} {_reason(status)}"), last=True)
            return False
        except ConnectionError:
            return False
        if body is None:
            await self._send(_TOO_LARGE, last=True)
            return False
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        asked = HttpRequest(request.method.decode("latin-1"), _path(request), headers, body)
        await self._send(await answer(asked), head=request.method == b"HEAD")
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._answered = True
        return True

    async def finish(self) -> None:
        """Say that no more comes, then let the client take it: closing at once could destroy an answer."""
        if self._writer.can_write_eof():
            self._writer.write_eof()
        async with asyncio.timeout(self._limits.write_s):
            while await self._reader.read(_READ_OCTETS):
                pass

    async def _request(self) -> h11.Request | None:
        """The head of the next request; None when the client has gone or sent none in time."""
        if not self._http.trailing_data[0]:
            self.resting = self._answered
            try:
                async with asyncio.timeout(self._limits.idle_s):
                    data = await self._reader.read(_READ_OCTETS)
            except TimeoutError:
                return None
            finally:
                self.resting = False
            self._http.receive_data(data)
        async with asyncio.timeout(self._limits.request_s):
            event = await self._event()
        return event if isinstance(event, h11.Request) else None

    async def _body_read(self) -> bytes | None:
        """The body; None if it is too long."""
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._writer.write(self._http.send(go_on) or b"")
        body = bytearray()
        async with asyncio.timeout(self._limits.request_s):
            while len(body) <= BODY_MAX:
                event = await self._event()
                if not isinstance(event, h11.Data):
                    return bytes(body)
                body += event.data
        return None

    async def _event(self) -> object:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._reader.read(_READ_OCTETS))

    async def _send(self, answer: HttpAnswer, *, head: bool = False, last: bool = False) -> None:
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            ("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())),
        ]
        if last:
            headers.append(("Connection", "close"))
        status = h11.Response(
            status_code=answer.status, headers=headers, reason=_reason(answer.status).encode()
        )
        self._writer.write(self._http.send(status) or b"")
        if not head:
            self._writer.write(self._http.send(h11.Data(data=answer.body)) or b"")
        self._writer.write(self._http.send(h11.EndOfMessage()) or b"")
        async with asyncio.timeout(self._limits.write_s):
            await self._writer.drain()


_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


def _reason(status: int) -> str:
    return _REASONS.get(status, "Error" if status >= 400 else "OK")


def _path(request: h11.Request) -> str:
    """The path of the target; a proxy sends it with scheme and host (RFC 9112 §3.2.2)."""
    target = request.target.decode("latin-1").partition("?")[0]
    if target.lower().startswith(("http://", "https://")):
        return "/" + target.partition("//")[2].partition("/")[2]
    return target
