"""Lists and watches over HTTP, with faults."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import web

from dnsserver.testing.kube_api.errors import ApiError, bad_request
from dnsserver.testing.kube_api.faults import Fault, status_body, watch_line
from dnsserver.testing.kube_api.requests import Request
from dnsserver.testing.kube_api.store import Filter, Store, Stored, Table

#: Annotation of the bookmark that ends the initial events of a streaming list (KEP-3157).
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

JSON_HEADERS = {"Content-Type": "application/json"}


def filter_of(seen: Request) -> Filter:
    """What the request chooses objects by."""
    chosen = Filter(
        seen.parameters.get("labelSelector", ""), seen.parameters.get("fieldSelector", ""), seen.namespace
    )
    if field := chosen.unknown_field():
        raise bad_request(f"field label not supported: {field}")
    return chosen


def check_numbers(seen: Request) -> None:
    """Raises ApiError for a parameter that is to be a number and is none."""
    for name in ("limit", "resourceVersion", "timeoutSeconds"):
        value = seen.parameters.get(name) or "0"
        if not (value.isascii() and value.isdigit()):
            raise bad_request(f"{name}: {value!r} is no number")


class Paging:
    """The rest of lists that were cut at their limit, by continue token."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[int, list[Stored]]] = {}

    def clear(self) -> None:
        self._pages.clear()

    def body(self, store: Store, table: Table, seen: Request) -> bytes:
        """The JSON of a list, or of one of its pages. Raises ApiError."""
        chosen = filter_of(seen)
        if token := seen.parameters.get("continue"):
            if token not in self._pages:
                raise ApiError(410, "Expired", "The provided continue parameter is too old")
            version, left = self._pages[token]
        else:
            version = store.version
            left = [item for _, item in sorted(table.objects.items()) if chosen.chooses(item)]
        limit = int(seen.parameters.get("limit", "0")) or len(left)
        page, rest = left[:limit], left[limit:]
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if rest:
            metadata["continue"] = _token(version, page[-1], chosen)
            metadata["remainingItemCount"] = len(rest)
            self._pages[metadata["continue"]] = (version, rest)
        resource = table.resource
        head = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata}
        items = b",".join(item.octets for item in page)
        return json.dumps(head).encode()[:-1] + b',"items":[' + items + b"]}"


class Steering(Protocol):
    """What a test does to all open watches."""

    bookmark_s: float
    bookmarks: int
    expiries: int


class Watch:
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
        self._filter = filter_of(seen)
        self._parameters = seen.parameters
        self._version = int(seen.parameters.get("resourceVersion") or "0")
        self._with_bookmarks = seen.parameters.get("allowWatchBookmarks") == "true"
        self._seconds = float(seen.parameters.get("timeoutSeconds", "1800"))

    async def run(self, api: Steering) -> None:
        for line in self._fault.lines:
            await self._write(line)
        if self._fault.ends:
            return
        streaming_list = seen_initial_events(self._parameters)
        if not self._version or streaming_list:
            await self._initial()
        if streaming_list:
            await self._bookmark({"annotations": {INITIAL_EVENTS_END: "true"}})
        expiries = api.expiries
        expired = self._version < self._table.compacted
        if not expired:
            await self._follow(api, expiries)
        if expired or expiries != api.expiries:
            text = f"too old resource version: {self._version} ({self._table.compacted})"
            await self._write(watch_line("ERROR", status_body(410, "Expired", text)))

    async def _follow(self, api: Steering, expiries: int) -> None:
        """Until the time is over, or the test lets open watches expire."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        bookmarks = api.bookmarks
        while (left := end - loop.time()) > 0 and expiries == api.expiries:
            changed = self._store.changed
            if not self._fault.silent:
                await self._changes()
                if bookmarks != api.bookmarks:
                    bookmarks = api.bookmarks
                    await self._bookmark()
            try:
                async with asyncio.timeout(min(left, api.bookmark_s)):
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
        resource = self._table.resource
        obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
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


async def send(request: web.Request, body: bytes, fault: Fault) -> web.StreamResponse:
    response = web.StreamResponse(headers=JSON_HEADERS)
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


def _line(type_: str, octets: bytes) -> bytes:
    return b'{"type":"' + type_.encode() + b'","object":' + octets + b"}\n"


def _token(version: int, last: Stored, chosen: Filter) -> str:
    return base64.urlsafe_b64encode(repr((version, last.key, chosen)).encode()).decode()
