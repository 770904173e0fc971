"""What is kept, for those who give it without the chain (plugins.plugin.Remembers)."""

from collections.abc import Callable
from functools import partial

from dnsserver.plugins.cache.counts import CacheCounts
from dnsserver.plugins.cache.entry import Entry, key_of
from dnsserver.plugins.cache.handler import shown_ttl_s, window_s
from dnsserver.plugins.cache.memory import DENYING, Memory
from dnsserver.plugins.cache.settings import CacheSettings
from dnsserver.plugins.plugin import Lasting, Server
from dnsserver.wire.question import Question


class Remembered:
    """Fresh entries of *memory*. With `prefetch` each hit matters until an entry is popular, and each near its end; in
    between it is enough to hear once a second that somebody asks."""

    def __init__(self, settings: CacheSettings, memory: Memory, counts: CacheCounts, server: Server) -> None:
        self._settings = settings
        self._memory = memory
        self._counts = counts
        self._server = server
        #: One for each label of a server and half: who counts may hold on to it for ever.
        self._counted: dict[tuple[str, bool], Callable[[int], None]] = {}

    def lasting(self, question: Question, *, do: bool, cd: bool) -> Lasting | None:
        """As in Remembers."""
        settings = self._settings
        if not settings.covers(question):
            return None
        now = self._server.now()
        entry = self._memory.find_lasting(question, key_of(question, do=do, cd=cd), now)
        if entry is None:
            return None
        left_s = entry.left_s(now)
        if left_s <= window_s(entry, settings) or not self._may_miss(entry, now):
            return None
        return Lasting(
            reply=entry.given(question, shown_ttl_s(entry, left_s, settings)),
            second=int(now),
            until=int(now) + (1 if settings.prefetch.amount else left_s),
            ages=not settings.keep_ttl,
            counted=self._counter(entry),
        )

    def _may_miss(self, entry: Entry, now: float) -> bool:
        """Whether hits of this second may go unseen, of which this is one."""
        prefetch = self._settings.prefetch
        if not prefetch.amount:
            return True
        popular = entry.hits >= prefetch.amount and entry.last_hit >= now - prefetch.gap_s
        if popular:
            entry.seen(now, prefetch.gap_s)
        return popular

    def _counter(self, entry: Entry) -> Callable[[int], None]:
        denies = entry.kind in DENYING
        of_server = self._counts.of(entry.server)
        counted = partial(of_server.hit, denies=denies)
        return self._counted.setdefault((entry.server, denies), counted)
