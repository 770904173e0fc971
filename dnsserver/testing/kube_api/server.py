"""The HTTP side: list and watch as an API server answers them, request log, faults."""

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from dnsserver.testing.kube_api import samples
from dnsserver.testing.kube_api.faults import Fault, status_body, watch_line
from dnsserver.testing.kube_api.store import Filter, Store, Stored, Table, key_of

#: Seconds between bookmarks of an idle watch (apiserver, storage/cacher: bookmarkFrequency).
BOOKMARK_S = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it came in. `verb` is list, watch, or get."""

    verb: str
    resource: str
    path: str
    parameters: Mapping[str, str]
    user_agent: str


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


#: Annotation of the bookmark that ends the initial events of a streaming list (KEP-3157).
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class KubeApi:
    """An API server on a port of 127.0.0.1 that stays the same through `stop` and `start`."""

    def __init__(
        self, *, token: str = "", tls: ServerTls | None = None, bookmark_s: float = BOOKMARK_S
    ) -> None:
        self.token = token
        """The bearer token that is asked for; "": none is. May be changed at any time."""
        self.port = 0
        self.requests: list[Request] = []
        self._tls = tls
        self._bookmark_s = bookmark_s
        self._store = Store()
        self._faults: list[Fault] = []
        self._pages: dict[str, tuple[int, list[Stored]]] = {}
        self._watches: dict[asyncio.Task[Any], tuple[str, web.Request]] = {}
        self._bookmarks = 0
        self._expiries = 0
        self._runner: web.AppRunner | None = None
        self.most_inflight = 0
        """Most lists that were being answered at one time."""
        self._inflight = 0

    def __repr__(self) -> str:
        return f"<KubeApi {self.url}: version {self._store.version}, {len(self._watches)} watches>"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def version(self) -> int:
        """The newest resourceVersion."""
        return self._store.version

    # Running.

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
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
            self._store.put(obj, must_exist=False)

    def update(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            self._store.put(obj, must_exist=True)

    def delete(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            self._store.delete(obj["kind"], key_of(obj))

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
        self._bookmarks += 1
        self._store.wake()

    def compact(self, *, expire_watches: bool = False) -> None:
        """Forget the history: watches and pages from before get 410; those that are open only if *expire_watches*."""
        self._store.compact()
        self._pages.clear()
        if expire_watches:
            self._expiries += 1
            self._store.wake()

    # What a test sees.

    def asked(self, verb: str = "", resource: str = "") -> list[Request]:
        """The requests received, oldest first."""
        return [item for item in self.requests if verb in ("", item.verb) and resource in ("", item.resource)]

    def watching(self, resource: str = "") -> int:
        """Watches that are open now."""
        return sum(resource in ("", plural) for plural, _ in self._watches.values())

    # Answering.

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        seen = _parse(request, self._store.tables)
        self.requests.append(seen)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if self.token and (scheme.lower() != "bearer" or given != self.token):
            return _error(401, "Unauthorized", "Unauthorized")
        if seen.verb == "get":
            return _error(403, "Forbidden", f"{seen.path}: only list and watch are allowed")
        table = self._store.tables.get(seen.resource)
        if table is None:
            return _error(404, "NotFound", "the server could not find the requested resource")
        fault = self._fault(seen)
        if fault.mute:
            await asyncio.Event().wait()
        if fault.code != 200:
            return web.Response(status=fault.code, body=fault.body, headers=_json(fault.headers))
        if seen.verb == "watch":
            return await self._watch(request, seen, table, fault)
        self._inflight += 1
        self.most_inflight = max(self.most_inflight, self._inflight)
        try:
            return await self._list(request, seen, table, fault)
        finally:
            self._inflight -= 1

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
        chosen = Filter(seen.parameters.get("labelSelector", ""), seen.parameters.get("fieldSelector", ""))
        if token := seen.parameters.get("continue"):
            if token not in self._pages:
                return _error(410, "Expired", "The provided continue parameter is too old")
            version, left = self._pages[token]
        else:
            version = self._store.version
            left = [item for _, item in sorted(table.objects.items()) if chosen.chooses(item)]
        limit = int(seen.parameters.get("limit", "0")) or len(left)
        page, rest = left[:limit], left[limit:]
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if rest:
            metadata["continue"] = _token(version, page[-1], chosen)
            metadata["remainingItemCount"] = len(rest)
            self._pages[metadata["continue"]] = (version, rest)
        head = {"kind": f"{table.kind}List", "apiVersion": _api_version(table), "metadata": metadata}
        items = b",".join(item.octets for item in page)
        body = json.dumps(head).encode()[:-1] + b',"items":[' + items + b"]}"
        return await _send(request, fault.body or body, fault)

    async def _watch(
        self, request: web.Request, seen: Request, table: Table, fault: Fault
    ) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._watches[task] = (seen.resource, request)
        response = web.StreamResponse(headers=_json())
        try:
            await response.prepare(request)
            await _Watch(self._store, table, seen, request, response, fault).run(self)
        except ConnectionError:
            pass  # the client has gone, or the connection was dropped
        finally:
            del self._watches[task]
        return response


class _Watch:
    """One open watch."""

    def __init__(
        self,
        store: Store,
        table: Table,
        seen: Request,
        request: web.Request,
        response: web.StreamResponse,
        fault: Fault,
    ) -> None:
        self._store = store
        self._table = table
        self._request = request
        self._response = response
        self._fault = fault
        self._sent = 0
        self._filter = Filter(
            seen.parameters.get("labelSelector", ""), seen.parameters.get("fieldSelector", "")
        )
        self._parameters = seen.parameters
        self._version = int(seen.parameters.get("resourceVersion") or "0")
        self._with_bookmarks = seen.parameters.get("allowWatchBookmarks") == "true"
        self._seconds = float(seen.parameters.get("timeoutSeconds", "1800"))

    async def run(self, api: KubeApi) -> None:
        for line in self._fault.lines:
            await self._write(line)
        if self._fault.ends:
            return
        streaming_list = seen_initial_events(self._parameters)
        if not self._version or streaming_list:
            await self._initial()
        if streaming_list:
            await self._bookmark({"annotations": {INITIAL_EVENTS_END: "true"}})
        expiries = api._expiries
        expired = self._version < self._table.compacted
        if not expired:
            await self._follow(api, expiries)
        if expired or expiries != api._expiries:
            text = f"too old resource version: {self._version} ({self._table.compacted})"
            await self._write(watch_line("ERROR", status_body(410, "Expired", text)))

    async def _follow(self, api: KubeApi, expiries: int) -> None:
        """Until the time is over, or the test lets open watches expire."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        bookmarks = api._bookmarks
        while (left := end - loop.time()) > 0 and expiries == api._expiries:
            changed = self._store.changed
            if not self._fault.silent:
                await self._changes()
                if bookmarks != api._bookmarks:
                    bookmarks = api._bookmarks
                    await self._bookmark()
            try:
                async with asyncio.timeout(min(left, api._bookmark_s)):
                    await changed.wait()
            except TimeoutError:
                if not self._fault.silent:
                    await self._bookmark()

    async def _initial(self) -> None:
        self._version = self._store.version
        for _, item in sorted(self._table.objects.items()):
            if self._filter.chooses(item):
                await self._write(_line("ADDED", item.octets))

    async def _changes(self) -> None:
        for change in self._table.since(self._version):
            event = self._filter.event(change)
            self._version = change.version
            if event is not None:
                await self._write(_line(*event))

    async def _bookmark(self, more: Mapping[str, Any] | None = None) -> None:
        if not self._with_bookmarks:
            return
        self._version = max(self._version, self._store.version)
        metadata = {"resourceVersion": str(self._version), "creationTimestamp": None, **(more or {})}
        obj = {"kind": self._table.kind, "apiVersion": _api_version(self._table), "metadata": metadata}
        await self._write(watch_line("BOOKMARK", obj))

    async def _write(self, line: bytes) -> None:
        after = self._fault.cut_after
        if after is not None and self._sent + len(line) > after:
            await self._response.write(line[: after - self._sent])
            await _break(self._request)
        self._sent += len(line)
        await self._response.write(line)


def seen_initial_events(parameters: Mapping[str, str]) -> bool:
    """Whether a watch asks to begin with a list as ADDED events (KEP-3157; client-go does so since 0.35)."""
    return parameters.get("sendInitialEvents") == "true"


async def _send(request: web.Request, body: bytes, fault: Fault) -> web.StreamResponse:
    response = web.StreamResponse(headers=_json())
    response.content_length = len(body)
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        if fault.cut_after is not None:
            await response.write(body[: fault.cut_after])
            await _break(request)
        size = fault.piece or len(body)
        for start in range(0, len(body), size):
            await response.write(body[start : start + size])
            if fault.pause_s:
                await asyncio.sleep(fault.pause_s)
        await response.write_eof()
    return response


async def _break(request: web.Request) -> None:
    """Close the connection under the reply, after what was written has left."""
    await asyncio.sleep(0.01)
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("cut by the test's fault")


def _parse(request: web.Request, tables: Mapping[str, Table]) -> Request:
    """`/api/v1/services` is a list; `/api/v1/namespaces/x/services/y` and the like are a get."""
    parts = [part for part in request.path.split("/") if part]
    prefix, rest = (parts[:2], parts[2:]) if parts[:1] == ["api"] else (parts[:3], parts[3:])
    plural = rest[0] if rest else ""
    group = prefix[1] if prefix[:1] == ["apis"] and len(prefix) > 1 else ""
    table = tables.get(plural)
    known = table is not None and [table.group, table.version] == [group, *prefix[-1:]]
    verb = "watch" if request.query.get("watch") in ("true", "1") else "list"
    if len(rest) > 1:
        verb = "get"
    agent = request.headers.get("User-Agent", "")
    return Request(verb, plural if known else "", request.path, dict(request.query), agent)


def _line(type_: str, octets: bytes) -> bytes:
    return b'{"type":"' + type_.encode() + b'","object":' + octets + b"}\n"


def _api_version(table: Table) -> str:
    return f"{table.group}/{table.version}" if table.group else table.version


def _token(version: int, last: Stored, chosen: Filter) -> str:
    return base64.urlsafe_b64encode(repr((version, last.key, chosen)).encode()).decode()


def _json(headers: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"Content-Type": "application/json", **(headers or {})}


def _error(code: int, reason: str, message: str) -> web.Response:
    return web.json_response(status_body(code, reason, message), status=code)
