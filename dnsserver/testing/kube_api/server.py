"""The server itself: its port, what a test does to it, and what it does with each request."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from dnsserver.testing.kube_api import samples
from dnsserver.testing.kube_api.access import TOKEN_REQUEST, Access
from dnsserver.testing.kube_api.discovery import PROBES, document
from dnsserver.testing.kube_api.errors import ApiError, no_such_resource
from dnsserver.testing.kube_api.faults import Fault, status_body
from dnsserver.testing.kube_api.objects import answer_object
from dnsserver.testing.kube_api.reading import JSON_HEADERS, Paging, Watch, check_numbers, send
from dnsserver.testing.kube_api.requests import Request, parse
from dnsserver.testing.kube_api.store import Store, Table, key_of

#: Seconds between bookmarks of an idle watch (apiserver, storage/cacher: bookmarkFrequency).
BOOKMARK_S = 60.0
#: Octets of a request's body (apiserver, MaxRequestBodyBytes).
BODY_MAX = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files; with `client_ca` a client certificate is asked for."""

    cert: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        found = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        found.load_cert_chain(self.cert, self.key)
        if self.client_ca is not None:
            found.load_verify_locations(self.client_ca)
            found.verify_mode = ssl.CERT_REQUIRED
        return found


class KubeApi:
    """An API server on a port of 127.0.0.1 that stays the same through `stop` and `start`."""

    def __init__(
        self,
        *,
        token: str = "",
        tls: ServerTls | None = None,
        bookmark_s: float = BOOKMARK_S,
        store: Store | None = None,
        access: Access | None = None,
    ) -> None:
        """*access*, over the same *store*, asks everybody for a token, and holds them to the roles in it."""
        self.token = token
        """The bearer token that is asked for; "": none is. May be changed at any time."""
        self.port = 0
        self.requests: list[Request] = []
        self._tls = tls
        self.bookmark_s = bookmark_s
        self.store = store or Store()
        self._access = access
        self._faults: list[Fault] = []
        self._paging = Paging()
        self._watches: dict[asyncio.Task[Any], tuple[str, web.Request]] = {}
        self.bookmarks = 0
        self.expiries = 0
        self._runner: web.AppRunner | None = None
        self.most_inflight = 0
        """Most lists that were being answered at one time."""
        self._inflight = 0

    def __repr__(self) -> str:
        return f"<KubeApi {self.url}: version {self.store.version}, {len(self._watches)} watches>"

    @property
    def listening(self) -> bool:
        return self._runner is not None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def kubeconfig(self) -> dict[str, Any]:
        """For clients: to be written to a file as JSON, or given to `load_kube_config_from_dict`."""
        cluster: dict[str, Any] = {"server": self.url}
        if self._tls is not None:
            cluster["insecure-skip-tls-verify"] = True
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": self.token} if self.token else {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }

    @property
    def version(self) -> int:
        """The newest resourceVersion."""
        return self.store.version

    # Running.

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        context = self._tls.context() if self._tls else None
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse connections and break those that are open; the objects stay."""
        if self._runner is not None:
            self.drop_watches()
            runner, self._runner = self._runner, None
            await runner.cleanup()

    # What a test does to the cluster.

    def add(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            self.store.put(obj, must_exist=False)

    def update(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            self.store.put(obj, must_exist=True)

    def delete(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            self.store.delete(self.store.table_of(obj), key_of(obj))

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        self.add(samples.namespace(name, labels))

    # What a test does to the server.

    def fail(self, fault: Fault) -> None:
        """Script *fault*; faults are taken in the order in which they were scripted."""
        self._faults.append(fault)

    def heal(self) -> None:
        """Forget all faults; a silent watch stays silent."""
        self._faults.clear()

    def drop_watches(self, resource: str = "") -> None:
        """Break the connections of the open watches."""
        for plural, request in list(self._watches.values()):
            if resource in ("", plural) and request.transport is not None:
                request.transport.abort()

    def bookmark(self) -> None:
        """Send a bookmark on every open watch."""
        self.bookmarks += 1
        self.store.wake()

    def compact(self, *, expire_watches: bool = False) -> None:
        """Forget the history: watches and pages from before get 410; those that are open only if *expire_watches*."""
        self.store.compact()
        self._paging.clear()
        if expire_watches:
            self.expiries += 1
            self.store.wake()

    # What a test sees.

    def asked(self, verb: str = "", resource: str = "") -> list[Request]:
        """The requests received, oldest first."""
        return [item for item in self.requests if verb in ("", item.verb) and resource in ("", item.resource)]

    def watching(self, resource: str = "") -> int:
        """Watches that are open now."""
        return sum(resource in ("", plural) for plural, _ in self._watches.values())

    # Answering.

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        seen = parse(request, self.store.tables)
        self.requests.append(seen)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if self.token and (scheme.lower() != "bearer" or given != self.token):
            return _error(ApiError(401, "Unauthorized", "Unauthorized"))
        try:
            if self._access is not None and seen.path not in PROBES:
                self._access.check(request.headers.get("Authorization", ""), seen)
                if (seen.resource, seen.verb, seen.subresource) == TOKEN_REQUEST:
                    return web.json_response(self._access.token(seen, await request.json()), status=201)
            table = self.store.tables.get((seen.group, seen.resource))
            if table is None:
                return self._discovered(request, seen)
            fault = self._fault(seen)
            if fault.mute:
                await asyncio.Event().wait()
            if fault.code != 200:
                headers = {**JSON_HEADERS, **fault.headers}
                return web.Response(status=fault.code, body=fault.body, headers=headers)
            if seen.verb in ("list", "watch"):
                check_numbers(seen)
            if seen.verb == "watch":
                return await self._watch(request, seen, table, fault)
            if seen.verb == "list":
                return await self._list(request, seen, table, fault)
            return await answer_object(self.store, table, seen, request)
        except ApiError as error:
            return _error(error)

    def _discovered(self, request: web.Request, seen: Request) -> web.Response:
        if request.method != "GET":
            raise no_such_resource()
        if seen.path in PROBES:
            return web.Response(text="ok")
        found = document(seen.path, (table.resource for table in self.store.tables.values()))
        if found is None:
            raise no_such_resource()
        return web.json_response(found)

    def _fault(self, seen: Request) -> Fault:
        continued = "continue" in seen.parameters
        for fault in self._faults:
            if fault.meets(seen.resource, seen.verb, continued):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return Fault()

    async def _list(
        self, request: web.Request, seen: Request, table: Table, fault: Fault
    ) -> web.StreamResponse:
        self._inflight += 1
        self.most_inflight = max(self.most_inflight, self._inflight)
        try:
            body = self._paging.body(self.store, table, seen)
            return await send(request, fault.body or body, fault)
        finally:
            self._inflight -= 1

    async def _watch(
        self, request: web.Request, seen: Request, table: Table, fault: Fault
    ) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        response = web.StreamResponse(headers=JSON_HEADERS)
        watch = Watch(self.store, table, seen, request, response, fault)
        self._watches[task] = (seen.resource, request)
        try:
            await response.prepare(request)
            await watch.run(self)
        except ConnectionError:
            pass  # the client has gone, or the connection was dropped
        finally:
            del self._watches[task]
        return response


def _error(error: ApiError) -> web.Response:
    body = status_body(error.code, error.reason, error.message)
    headers = {"Allow": "GET, POST, PUT, PATCH, DELETE"} if error.code == 405 else None
    return web.json_response(body, status=error.code, headers=headers)
