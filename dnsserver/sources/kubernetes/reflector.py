"""Keep one feed of the cluster state equal to what the API server lists: list, watch, and begin again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from dnsserver.sources.kubernetes.bodies import Lines, WatchEvent, read_event, read_page, read_status
from dnsserver.sources.kubernetes.client import ApiServer, HttpError, SourceError, Unreachable
from dnsserver.sources.kubernetes.pacing import Backoff, Timing
from dnsserver.sources.kubernetes.resources import Resource
from dnsserver.sources.objects import ObjectError, decode, slim
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject

#: Objects per page of a list (client-go, tools/pager: 500).
PAGE_OBJECTS = 500
#: Seconds. A watch asks to be closed after a random time in this range (client-go, minWatchTimeout).
WATCH_LEAST_S = 300
WATCH_MOST_S = 600
#: Seconds without an octet after which a watch is taken for dead. An API server sends a bookmark every minute
#: (apiserver, storage/cacher: bookmarkFrequency), so this is three of them; resuming costs one request.
SILENCE_S = 180.0
#: Seconds without an octet of a list after which it is given up.
LIST_SILENCE_S = 30.0
#: Seconds. A watch that brings nothing and ends before is a failure, not an end (client-go, "very short watch").
SHORT_WATCH_S = 1.0
#: Octets of objects that are decoded before other tasks have their turn: about a millisecond.
DECODE_TURN = 128 * 1024
#: Different messages that are remembered so as to be logged once.
TOLD_MOST = 1_000

#: What the API server means by "this resourceVersion is too old": list again.
GONE = 410
EXPIRED_REASONS = frozenset({"Expired", "Gone"})


class Expired(Exception):
    """410: the watch, or the list's next page, cannot go on from where we are."""


#: All that can keep a reflector from following; anything else is an error of ours.
Trouble = Expired | HttpError | Unreachable | ObjectError | SourceError


@dataclass(frozen=True, slots=True)
class Limits:
    """What tests make smaller."""

    page_objects: int = PAGE_OBJECTS
    silence_s: float = SILENCE_S
    list_silence_s: float = LIST_SILENCE_S


class Reflector:
    """States of one object arrive in order, with gaps; there is no order between objects.

    The feed is replaced only by complete lists. While the API server cannot be followed the feed is marked stale
    and keeps its objects. "410 Gone" means: list again.
    """

    def __init__(
        self,
        resource: Resource,
        api: ApiServer,
        state: ClusterState,
        *,
        now: Callable[[], float],
        log: logging.Logger,
        timing: Timing,
        limits: Limits,
    ) -> None:
        self.name = f"kubernetes {resource.shown}"
        self._resource = resource
        self._api = api
        self._state = state
        self._now = now
        self._log = log
        self._timing = timing
        self._limits = limits
        self._backoff = Backoff(timing)
        self._version = ""
        self._failing = False
        self._progress = True  # since the last trouble: a watch brought something, or stood for some time
        self._told: set[str] = set()
        self._noted: set[str] = set()

    def __repr__(self) -> str:
        doing = f"at {self._version}" if self._version else "listing"
        return f"<Reflector {self._resource.shown}: {doing}{', failing' if self._failing else ''}>"

    async def run(self) -> NoReturn:
        """Until cancelled."""
        while True:
            loads = self._api.loads
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except HttpError as error:
                await self._recover(Expired(str(error)) if error.code == GONE else error, loads)
            except (Expired, Unreachable, ObjectError, SourceError) as trouble:
                await self._recover(trouble, loads)

    # List.

    async def _list(self) -> None:
        found: list[ClusterObject] = []
        parameters = {"limit": str(self._limits.page_objects), **self._resource.selectors}
        while True:
            body = await self._api.get(self._resource.path, parameters, self._limits.list_silence_s)
            page = read_page(body)
            await self._decode_page(page.items, found)
            if not page.continue_token:
                break
            parameters["continue"] = page.continue_token
        self._state.replace(self._resource.feed, found, self._now())
        self._version = page.resource_version

    async def _decode_page(self, items: tuple[msgspec.Raw, ...], found: list[ClusterObject]) -> None:
        """Convert *items* into *found*, giving other tasks their turn in between."""
        octets = 0
        for raw in items:
            try:
                found += slim(decode(self._resource.kind, raw), self._note)
            except ObjectError as error:
                self._note(f"{error}; the object is left out")
            octets += memoryview(raw).nbytes
            if octets >= DECODE_TURN:
                octets = 0
                await asyncio.sleep(0)

    # Watch.

    async def _watch(self) -> None:
        """Follow until the stream ends; resume with the next call."""
        parameters = self._watch_parameters()
        async with self._api.stream(self._resource.path, parameters, self._limits.silence_s) as pieces:
            self._follows()
            began = self._timing.monotonic()
            try:
                await self._follow(pieces)
            finally:
                if self._timing.monotonic() - began >= SHORT_WATCH_S:
                    self._progressed()
        if not self._progress:
            raise Unreachable("the watch ended at once and brought nothing")

    async def _follow(self, pieces: AsyncIterator[bytes]) -> None:
        lines = Lines()
        self._progress = False
        async for piece in pieces:
            for line in lines.feed(piece):
                self._take(read_event(line))
                self._progressed()
            await asyncio.sleep(0)

    def _watch_parameters(self) -> dict[str, str]:
        seconds = WATCH_LEAST_S + int((WATCH_MOST_S - WATCH_LEAST_S) * self._timing.random())
        return {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(seconds),
            **self._resource.selectors,
        }

    def _take(self, event: WatchEvent) -> None:
        match event.type:
            case "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK":
                try:
                    self._apply(event)
                except ObjectError as error:
                    self._note(f"{event.type}: {error}; the event is left out")
            case "ERROR":
                status = read_status(event.object)
                text = status.message or status.reason or "no reason given"
                if status.code == GONE or status.reason in EXPIRED_REASONS:
                    raise Expired(text)
                raise HttpError(status.code or 500, status.reason or "watch error", text)
            case other:
                self._note(f"{self._resource.shown}: watch event of unknown type {other!r}; it is left out")

    def _apply(self, event: WatchEvent) -> None:
        feed, obj = self._resource.feed, decode(self._resource.kind, event.object)
        if event.type != "BOOKMARK":
            items = () if event.type == "DELETED" else slim(obj, self._note)
            for item in items:
                self._state.put(feed, item, self._now())
            if not items:  # deleted, or nothing in it for DNS any more
                self._state.drop(feed, obj.key, self._now())
        self._version = obj.resource_version or self._version

    # Trouble.

    def _follows(self) -> None:
        """The API server has taken up the watch."""
        self._state.mark_fresh(self._resource.feed)
        if self._failing:
            self._log.info("%s: followed again", self._resource.shown)
        self._failing = False

    def _progressed(self) -> None:
        """The watch has proved its worth: pauses begin small again, and troubles are worth a word again."""
        self._progress = True
        self._backoff.reset()
        self._told.clear()

    async def _recover(self, trouble: Trouble, loads: int) -> None:
        """Go on at once after a stream that broke off or a first 410; else say what is wrong, and wait."""
        if isinstance(trouble, Expired):
            self._version = ""
        if self._progress and isinstance(trouble, Expired | Unreachable | ObjectError):
            self._progress = False
            self._log.info("%s: taken up again: %s", self._resource.shown, trouble)
            return
        text = self._explained(trouble)
        self._failing, self._progress = True, False
        self._state.mark_stale(self._resource.feed, text)
        if _first_time(text, self._told):
            self._log.warning("%s: %s", self._resource.shown, text)
        pause = self._backoff.next()
        if isinstance(trouble, HttpError):
            if trouble.retry_after is not None:
                pause = max(pause, trouble.retry_after)
            if trouble.code == 401:
                await self._reload(loads)
        await self._timing.sleep(pause)

    async def _reload(self, loads: int) -> None:
        try:
            await self._api.reload(loads)
        except SourceError as error:
            self._note(f"{error}; the old credentials stay in use")

    def _explained(self, trouble: Trouble) -> str:
        resource = self._resource
        match trouble:
            case HttpError(code=401):
                return f"the API server does not accept the credentials ({trouble}); they are read again"
            case HttpError(code=403):
                return f"not allowed to list and watch ({trouble}); add to the ClusterRole the rule {resource.rule}"
            case HttpError(code=404):
                group = f"{resource.group}/{resource.version}" if resource.group else resource.version
                return f"the API server has no {resource.feed.value} in {group} ({trouble}); see `kubectl api-versions`"
            case HttpError():
                return f"the API server answers {trouble}"
            case Expired():
                return f"the API server has no history from where we are: {trouble}"
            case ObjectError():
                return f"the API server's answer cannot be read: {trouble}"
        return str(trouble)

    def _note(self, text: str) -> None:
        """Log what is wrong with an object, once."""
        if _first_time(text, self._noted):
            self._log.warning("%s", text)


def _first_time(text: str, seen: set[str]) -> bool:
    if text in seen:
        return False
    if len(seen) >= TOLD_MOST:
        seen.clear()
    seen.add(text)
    return True
