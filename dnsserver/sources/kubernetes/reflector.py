"""Keep one feed of the cluster state equal to what the API server lists: list, watch, and begin again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from dnsserver.sources.applying import replace
from dnsserver.sources.kubernetes.bodies import Lines, WatchEvent, read_event, read_page, read_status
from dnsserver.sources.kubernetes.client import (
    ApiServer,
    Credentials,
    HttpError,
    Silent,
    SourceError,
    Unreachable,
)
from dnsserver.sources.kubernetes.metering import Meter, Unmetered, trigger_time
from dnsserver.sources.kubernetes.pacing import Backoff, Timing
from dnsserver.sources.kubernetes.resources import Resource
from dnsserver.sources.objects import slim
from dnsserver.sources.structs import ObjectError, SliceObject, decode, shown
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, EndpointSlice, ObjectKey

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
DECODE_TURN = 32 * 1024
#: Different messages that are remembered so as to be logged once.
TOLD_MOST = 1_000

#: What the API server means by "this resourceVersion is too old": list again.
GONE = 410
EXPIRED_REASONS = frozenset({"Expired", "Gone"})
#: In the message of a 504: this resourceVersion has not been reached, and after a restore of etcd it may never be
#: (apiserver, storage/errors: NewTooLargeResourceVersionError).
TOO_LARGE = "too large resource version"
#: Failed watches in a row, of an API server that answers, after which the next one starts from a new list.
WATCH_FAILURES_MOST = 5
#: "Slow down": no reason to ask for a list on top.
TOO_MANY_REQUESTS = 429
#: Characters of an unexpected exception's text that are shown.
UNEXPECTED_TEXT = 400


class Expired(Exception):
    """The watch, or the list's next page, cannot go on from where we are: 410, or TOO_LARGE."""


#: All that can keep a reflector from following; anything else is an error of ours, and contained all the same.
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
    and keeps its objects. A new list is made after "410 Gone", after a resourceVersion that the API server has not
    reached, after WATCH_FAILURES_MOST failed watches in a row, and after any exception that should not have been.
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
        meter: Meter | None = None,
    ) -> None:
        self.name = f"kubernetes {resource.shown}"
        self.feed = resource.feed
        self.lists_total = 0
        """Lists taken over whole."""
        self.watches_total = 0
        """Watches that the API server took up."""
        self.events_total = 0
        """Events of watches that were read, bookmarks and errors included."""
        self.failures_total = 0
        """Lists and watches that ended otherwise than they should, a 410 included."""
        self._resource = resource
        self._api = api
        self._state = state
        self._now = now
        self._log = log
        self._timing = timing
        self._limits = limits
        self._meter = meter or Unmetered()
        self._backoff = Backoff(timing)
        self._unexpected_backoff = Backoff(timing)  # never reset: an error of ours comes again
        self._failed_watches = 0  # in a row
        self._held: set[ObjectKey] = set()
        self._version = ""
        self._resumes = False  # the watch goes on from a version that no list has just brought
        self._failing = False
        self._had_others = False  # credentials after a 401, since the API server took up a watch
        self._progress = True  # since the last trouble: a watch brought something, or stood for some time
        self._told: set[str] = set()
        self._noted: set[str] = set()

    def __repr__(self) -> str:
        doing = f"at {self._version}" if self._version else "listing"
        return f"<Reflector {self._resource.shown}: {doing}{', failing' if self._failing else ''}>"

    async def run(self) -> NoReturn:
        """Until cancelled."""
        while True:
            try:
                await self._round()
            except Exception as error:
                await self._contain(error)

    async def list_once(self) -> None:
        """Take over one full list, and follow nothing. Raises SourceError, with what to do."""
        try:
            await self._list()
        except (HttpError, Unreachable, ObjectError) as trouble:
            raise SourceError(f"{self._resource.shown}: {self._explained(trouble)}") from trouble

    async def _round(self) -> None:
        """List if need be, and watch, until that ends; be ready for the next round."""
        seen = self._api.credentials
        try:
            await self._list_and_watch()
        except HttpError as error:
            lost = error.code == GONE or TOO_LARGE in error.message.lower()
            await self._recover(Expired(str(error)) if lost else error, seen)
        except (Expired, Unreachable, ObjectError, SourceError) as trouble:
            await self._recover(trouble, seen)

    async def _list_and_watch(self) -> None:
        self._resumes = bool(self._version)
        if not self._resumes:
            await self._list()
        await self._watch("resumed" if self._resumes else "opened")

    # List.

    async def _list(self) -> None:
        self._log.debug("%s: list begun", self._resource.shown)
        found: list[ClusterObject] = []
        parameters = {"limit": str(self._limits.page_objects), **self._resource.selectors}
        while True:
            body = await self._api.get(self._resource.path, parameters, self._limits.list_silence_s)
            page = read_page(body)
            await self._decode_page(page.items, found)
            if not page.continue_token:
                break
            parameters["continue"] = page.continue_token
        await replace(self.feed, found, self._held, self._state, self._now)
        self._held = {item.key for item in found}
        self._version = page.resource_version
        self.lists_total += 1
        self._log.debug(
            "%s: list complete: %d objects at resourceVersion %s",
            self._resource.shown,
            len(found),
            self._version,
        )

    async def _decode_page(self, items: tuple[msgspec.Raw, ...], found: list[ClusterObject]) -> None:
        """Convert *items* into *found*, giving other tasks their turn in between."""
        octets = 0
        for raw in items:
            try:
                found += slim(decode(self._resource.kind, raw), self._note, self._resource.parts)
            except ObjectError as error:
                self._note(f"{error}; the object is left out")
            octets += memoryview(raw).nbytes
            if octets >= DECODE_TURN:
                octets = 0
                await asyncio.sleep(0)

    # Watch.

    async def _watch(self, how: str) -> None:
        """Follow until the stream ends; resume with the next call."""
        parameters = self._watch_parameters()
        async with self._api.stream(self._resource.path, parameters, self._limits.silence_s) as pieces:
            self._follows(how)
            began, before = self._timing.monotonic(), self.events_total
            try:
                await self._follow(pieces)
            finally:
                lasted = self._timing.monotonic() - began
                if lasted >= SHORT_WATCH_S:
                    self._progressed()
                events = self.events_total - before
                self._log.debug(
                    "%s: watch closed after %.0f s and %d events at resourceVersion %s",
                    *(self._resource.shown, lasted, events, self._version),
                )
        if not self._progress:
            raise Unreachable("the watch ended at once and brought nothing", answered=True)
        self._failed_watches = 0

    async def _follow(self, pieces: AsyncIterator[bytes]) -> None:
        lines = Lines()
        self._progress = False
        async for piece in pieces:
            for line in lines.feed(piece):
                event = read_event(line)
                self.events_total += 1
                self._take(event)
                self._progressed()
                self._failed_watches = 0
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
        obj = decode(self._resource.kind, event.object)
        if event.type != "BOOKMARK":
            items = () if event.type == "DELETED" else slim(obj, self._note, self._resource.parts)
            for item in items:
                self._state.put(self.feed, item, self._now())
                self._held.add(item.key)
                if isinstance(obj, SliceObject) and isinstance(item, EndpointSlice):
                    self._programmed(obj, item)
            if not items:  # deleted, or nothing in it for DNS any more
                self._state.drop(self.feed, obj.key, self._now())
                self._held.discard(obj.key)
        self._version = obj.resource_version or self._version

    def _programmed(self, obj: SliceObject, item: EndpointSlice) -> None:
        """Tell how long the change took to come here, if the slice says when it was made and its Service is known."""
        try:
            begun = trigger_time(obj)
        except ValueError as error:
            name = shown(item.key.namespace, item.key.name)
            self._note(f"DnsProgrammingLatency cannot be calculated for Endpoints '{name}': {error}")
            return
        service = self._state.service(item.service_key)
        if begun is not None and service is not None:
            self._meter.programmed(service, self._now() - begun)

    # Trouble.

    def _follows(self, how: str) -> None:
        """The API server has taken up the watch."""
        self.watches_total += 1
        self._log.debug("%s: watch %s from resourceVersion %s", self._resource.shown, how, self._version)
        self._state.mark_fresh(self.feed)
        if self._failing:
            self._log.info("%s: followed again", self._resource.shown)
        self._failing = self._had_others = False

    def _progressed(self) -> None:
        """The watch has proved its worth: pauses begin small again, and troubles are worth a word again."""
        self._progress = True
        self._backoff.reset()
        self._told.clear()

    async def _recover(self, trouble: Trouble, seen: Credentials) -> None:
        """Go on at once after a stream that broke off, a 410 that no list has just been made for, or with new
        credentials; else say what is wrong, and wait."""
        self.failures_total += 1
        if isinstance(trouble, Expired) or self._failed_often(trouble):
            self._version = ""
        broke_off = self._progress and isinstance(trouble, Expired | Unreachable | ObjectError)
        if broke_off or (self._resumes and isinstance(trouble, Expired)):
            self._progress = False
            self._log.info("%s: taken up again: %s", self._resource.shown, trouble)
            return
        text = self._explained(trouble)
        if isinstance(trouble, HttpError) and trouble.code == 401:
            text += "; they are read again"
        self._failing, self._progress = True, False
        self._state.mark_stale(self.feed, text)
        if _first_time(text, self._told):
            self._log.warning("%s: %s", self._resource.shown, text)
        pause = self._backoff.next()
        if isinstance(trouble, HttpError):
            if trouble.retry_after is not None:
                pause = max(pause, trouble.retry_after)
            if trouble.code == 401 and await self._renewed(seen):
                return
        await self._timing.sleep(pause)

    def _failed_often(self, trouble: Trouble) -> bool:
        """Count a failed watch. One that never got through, or that was to wait, says nothing against our version."""
        match trouble:
            case HttpError():
                failed = trouble.code != TOO_MANY_REQUESTS
            case Unreachable():
                failed = isinstance(trouble, Silent) or (trouble.answered and not self._progress)
            case _:
                failed = isinstance(trouble, ObjectError)
        if not failed or not self._version:
            return False
        self._failed_watches = (self._failed_watches + 1) % WATCH_FAILURES_MOST
        return self._failed_watches == 0

    async def _contain(self, error: Exception) -> None:
        """An error of ours must not take the other feeds along: say where it is, once, wait, and list again."""
        self.failures_total += 1
        self._version = ""
        self._failing, self._progress = True, False
        text = f"unexpected {type(error).__name__}: {error}"[:UNEXPECTED_TEXT]
        self._state.mark_stale(self.feed, text)
        if _first_time(text, self._noted):
            self._log.error("%s: %s; it will be listed again", self._resource.shown, text, exc_info=error)
        await self._timing.sleep(self._unexpected_backoff.next())

    async def _renewed(self, seen: Credentials) -> bool:
        """Read the credentials again. Whether they are others than those *seen*, for the first time since the API
        server took up a watch: an exec plugin gives others each time, and none may be good."""
        try:
            await self._api.reload(seen)
        except SourceError as error:
            self._note(f"{error}; the old credentials stay in use")
        first, self._had_others = not self._had_others, self._had_others or self._api.credentials != seen
        return first and self._had_others

    def _explained(self, trouble: Trouble) -> str:
        resource = self._resource
        match trouble:
            case HttpError(code=401):
                return f"the API server does not accept the credentials ({trouble})"
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
