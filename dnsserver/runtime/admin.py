"""The admin endpoint: `dnsserver explain` and `dnsserver names` ask a running server there (docs/explain.md).

HTTP with small JSON, on a loopback address unless somebody wants another. Web pages that a browser on the same host
shows must not reach it: only POST with JSON asks for anything, which browsers send to others' servers only after a
question that is refused here (there is no CORS), and the Host header has to be an address or localhost, so a name that
a page's owner lets point here is of no use (DNS rebinding).
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from dnsserver import __version__
from dnsserver.observability.http import HttpAnswer, HttpListener, HttpRequest
from dnsserver.observability.http_sockets import HttpListenError, bind_http
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.zone.addresses import is_ip_address

if TYPE_CHECKING:
    from dnsserver.runtime.explaining import Asking, Explainer
    from dnsserver.runtime.naming import NamePages

LOG = logging.getLogger("dnsserver.admin")

#: Where the endpoint is unless `--admin` says otherwise.
DEFAULT_ADMIN = "127.0.0.1:9155"
#: Instead of an address: no endpoint.
OFF = "off"
#: Octets of a request's body: a name has 255, and four characters each where it is all escapes.
BODY_MAX = 4096
#: Explanations that wait for their turn, as one is made at a time; and seconds that one may take, its turn included.
WAITING_MAX, EXPLAIN_S = 8, 30.0
#: Name of the host in requests that come from it.
_LOCALHOST = "localhost"

_PORT_MAX = 65_535


def parse_admin(text: str) -> tuple[str, int] | None:
    """Host and port of `HOST:PORT`, None for `off`. Raises ValueError."""
    if text == OFF:
        return None
    host, colon, digits = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not host or not digits.isdecimal() or int(digits) > _PORT_MAX:
        raise ValueError(f"{text!r} is neither ADDRESS:PORT, such as {DEFAULT_ADMIN}, nor {OFF!r}")
    return str(ip_address("127.0.0.1" if host == _LOCALHOST else host)), int(digits)


def bind_admin(place: tuple[str, int] | None) -> tuple[socket.socket, ...]:
    """The socket of the endpoint; none, and one line in the log, where the address is in use: DNS is served without."""
    if place is None:
        return ()
    try:
        return tuple(bind_http(*place))
    except HttpListenError as error:
        LOG.warning(
            "no admin endpoint: %s; give another address (--admin ADDRESS:PORT) or --admin off", error
        )
        return ()


def in_the_way(reason: str, port: int) -> str:
    """*reason* why a Corefile could not be gone over to; with the way out, where the *port* that it could not have may
    be that of this server's own endpoint (0: there is none), which stays where it is for the server's life."""
    if not port or f":{port}: bind: address already in use" not in reason:
        return reason
    return (
        f"{reason}. Port {port} is that of this server's admin endpoint: take another port, or start the server with"
        f" --admin ADDRESS:PORT or --admin {OFF}"
    )


@contextlib.asynccontextmanager
async def administered(
    sockets: Iterable[socket.socket], server: Callable[[], ClusterDnsServer], *, answers: bool
) -> AsyncIterator[None]:
    """Serve the endpoint on *sockets*, for the *server* that there is then. *answers*: queries are answered in this
    process, so the server's plugins are ready for that."""
    held = tuple(sockets)
    if not held:
        yield
        return
    host, port = held[0].getsockname()[:2]
    endpoint = _Endpoint(server, answers=answers)
    listener = HttpListener(str(host), int(port), {}, sockets=held, asked=endpoint.answer)
    await listener.start()
    try:
        yield
    finally:
        # Others may have the same socket: a process that takes this one's place.
        await listener.close(handed_over=True)
        await endpoint.close()


class _Stage:
    """What the plugins of *server* need to answer, where queries are answered by other processes. In a task of its own:
    whoever enters such a thing has to leave it."""

    def __init__(self, server: ClusterDnsServer) -> None:
        self.server = server
        self._end, self._up = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._live(), name="explain")

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def ready(self) -> None:
        """Raises what keeps the plugins from it."""
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait((self._task, up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if self._task.done():
            await self._task

    async def close(self) -> None:
        self._end.set()
        await asyncio.wait((self._task,))

    async def _live(self) -> None:
        from dnsserver.runtime.rehearsing import opened

        async with opened(self.server, follows=False):
            self._up.set()
            await self._end.wait()


class _Endpoint:
    def __init__(self, server: Callable[[], ClusterDnsServer], *, answers: bool) -> None:
        self._server = server
        self._answers = answers
        self._stage: _Stage | None = None
        self._turn, self._preparing = asyncio.Lock(), asyncio.Lock()
        self._waiting = 0
        self._pages: NamePages | None = None

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        problem = _unwelcome(request)
        if problem is not None:
            return problem
        if (request.method, request.path) == ("GET", "/"):
            return _json(200, {"dnsserver": __version__, "explain": "POST /explain", "names": "POST /names"})
        if request.path not in ("/explain", "/names"):
            return _problem(404, "no such path: POST /explain and POST /names are what there is")
        if request.method != "POST":
            return _problem(405, "only POST is answered here")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _problem(415, "the content type has to be application/json")
        if request.path == "/names":
            return await self._names(request.body)
        return await self._explain(request.body)

    async def _names(self, body: bytes) -> HttpAnswer:
        """One page of the names (runtime/naming.py)."""
        # Imported here: a server does without it until it is first asked.
        from dnsserver.runtime.naming import NamePages, NoSuchListError

        cursor = _cursor(body)
        if cursor is None:
            return _problem(400, 'the body has to be an object, {"cursor": ""} or what the last page gave')
        if self._pages is None:
            self._pages = NamePages()
        try:
            async with asyncio.timeout(EXPLAIN_S):
                return _json(200, self._pages.page(await self._known(), cursor))
        except NoSuchListError as error:
            return _problem(410, str(error))
        except TimeoutError:
            return _problem(503, f"the files were not read within {EXPLAIN_S:g} s")

    async def _explain(self, body: bytes) -> HttpAnswer:
        # Imported here: a server does without it until it is first asked.
        from dnsserver.explaining.explanation import as_json
        from dnsserver.runtime.explaining import AskedError

        if self._waiting >= WAITING_MAX:
            return _problem(503, "too many questions wait for an explanation: ask again later")
        self._waiting += 1
        try:
            asking = _asking(body)
            async with asyncio.timeout(EXPLAIN_S), self._turn:
                explainer = await self._explainer()
                return _json(200, as_json(await explainer.explain(asking)))
        except AskedError as error:
            return _problem(400, str(error))
        except TimeoutError:
            return _problem(503, f"no explanation within {EXPLAIN_S:g} s")
        finally:
            self._waiting -= 1

    async def _explainer(self) -> "Explainer":
        from dnsserver.runtime.explaining import Explainer

        return Explainer(await self._prepared())

    async def _known(self) -> ClusterDnsServer:
        """The server that there is, with what its names are made of."""
        server = self._server()
        if any(plugin.listing is not None and plugin.listing.by_answering for plugin in server.plugins()):
            return await self._prepared()
        return server

    async def _prepared(self) -> ClusterDnsServer:
        """The server that there is, with what its plugins need to answer."""
        async with self._preparing:
            server = self._server()
            if not self._answers:
                if self._stage is None or self._stage.server is not server:
                    await self.close()
                    self._stage = _Stage(server)
                try:
                    await self._stage.ready()
                finally:
                    if self._stage.is_over:
                        self._stage = None  # the next one tries again
            return server

    async def close(self) -> None:
        if self._stage is not None:
            await self._stage.close()


def _unwelcome(request: HttpRequest) -> HttpAnswer | None:
    """What to say to a request that a web page may have made, or that is too large."""
    host = request.headers.get("host", "")
    if not _is_here(host):
        return _problem(403, f"the Host header has to be an IP address or {_LOCALHOST}")
    if "origin" in request.headers:
        return _problem(403, "web pages are not answered")
    if len(request.body) > BODY_MAX:
        return _problem(413, f"the body may have {BODY_MAX} octets")
    return None


def _is_here(host: str) -> bool:
    """Whether the Host header *host* is one that no name server of others can have led to this address."""
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower() == _LOCALHOST or is_ip_address(name)


def _asking(body: bytes) -> "Asking":
    """Raises AskedError."""
    from dnsserver.runtime.explaining import AskedError, Asking

    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise AskedError("the body is no JSON") from None
    if not isinstance(value, dict):
        raise AskedError('the body has to be an object, such as {"name": "web.default", "type": "A"}')
    unknown = value.keys() - {"name", "type", "from"}
    texts = {key: value.get(key, default) for key, default in (("name", ""), ("type", "A"), ("from", ""))}
    if unknown or not all(isinstance(text, str) for text in texts.values()) or not texts["name"]:
        raise AskedError('the object has "name", and may have "type" and "from", all of them texts')
    return Asking(texts["name"], texts["type"], texts["from"])


def _cursor(body: bytes) -> str | None:
    """None for what is no request for a page."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    cursor = value.get("cursor") if isinstance(value, dict) and value.keys() == {"cursor"} else None
    return cursor if isinstance(cursor, str) else None


def _json(status: int, value: dict[str, Any]) -> HttpAnswer:
    return HttpAnswer(status, json.dumps(value).encode() + b"\n", "application/json")


def _problem(status: int, text: str) -> HttpAnswer:
    return _json(status, {"error": text})
