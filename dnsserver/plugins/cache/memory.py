"""What is kept, and which of it answers a question (coredns-compat.md, section 3.5)."""

from dnsserver.answering.kinds import Kind, answers, has_soa
from dnsserver.answering.reply import Reply
from dnsserver.plugins.cache.below import BelowNxDomain
from dnsserver.plugins.cache.bounded import BoundedEntries
from dnsserver.plugins.cache.claims import Claims
from dnsserver.plugins.cache.entry import EVERY_TYPE, Entry, Key, octets_of, shared
from dnsserver.plugins.cache.lifetimes import DENIALS, kept_kind, levelled, lifetime_s, with_ttl
from dnsserver.plugins.cache.settings import CacheSettings, is_below_any
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode
from dnsserver.wire.question import Question

#: In the half of the denials; the others are in the half of the successes.
DENYING = DENIALS | {Kind.FAILURE}


class Memory:
    """Two halves: `success`, and `denial` with failures."""

    def __init__(self, settings: CacheSettings, below: BelowNxDomain, claims: Claims) -> None:
        self._settings = settings
        self._below = below
        self._claims = claims
        self.success = BoundedEntries(settings.success.entries_max)
        self.denial = BoundedEntries(settings.denial.entries_max)

    def __repr__(self) -> str:
        return f"<Memory success={self.success!r} denial={self.denial!r}>"

    # Looking up. *now*: Unix seconds.

    def find(self, question: Question, key: Key, now: float) -> Entry | None:
        """The entry to answer from, which may be expired where stale ones are given."""
        entry = self._found(question, key, now)
        return None if entry is None or self._claims.is_claimed(question) else entry

    def find_lasting(self, question: Question, key: Key, now: float) -> Entry | None:
        """The entry, if none but time can end it."""
        entry = self._found(question, key, now)
        return None if entry is None or self._claims.may_be_claimed(question) else entry

    def _found(self, question: Question, key: Key, now: float) -> Entry | None:
        """A denial comes first; but a failure says nothing against an answer that is there."""
        success, denial = self._usable(self.success, key, now), self._usable(self.denial, key, now)
        if self._settings.prefer_positive and self._settings.stale.stale_s:
            good = self.success.get(key)
            good = good and good.answering()
            if good is not None and self._is_usable(good, now):
                return good
        if denial is not None and (success is None or denial.reply.rcode != Rcode.SERVFAIL):
            return denial
        return success or self._above(question, key, now)

    def _usable(self, half: BoundedEntries, key: Key, now: float) -> Entry | None:
        entry = half.get(key)
        return entry if entry is not None and self._is_usable(entry, now) else None

    def _is_usable(self, entry: Entry, now: float) -> bool:
        left_s = entry.left_s(now)
        return left_s > 0 or -left_s < int(self._settings.stale.stale_s)

    def _above(self, question: Question, key: Key, now: float) -> Entry | None:
        """The fresh NXDOMAIN for the name, or for one above it, that goes for this question too."""
        if not len(self.denial):
            return None
        for ancestor in names.suffixes(key[0]):
            entry = self.denial.get(_for_every_type(key, ancestor))
            if entry is not None and entry.left_s(now) > 0:
                return entry if self._below.is_up_to(question, entry.reply.plugin) else None
        return None

    # Keeping.

    def keep(
        self, question: Question, key: Key, reply: Reply, now: float, server: str
    ) -> tuple[Reply, Entry | None]:
        """*reply* with the TTL that it has here, and the entry if it was kept. *server*: its label in metrics."""
        if reply.live:
            self._forget(key)  # the name is the cluster's now, which knows its changes itself
            return levelled(question, reply, self._settings), None
        kind = kept_kind(question, reply, signed_at=int(now) if key[3] else None)
        ttl_s = lifetime_s(kind, reply, self._settings)
        reply = with_ttl(reply, ttl_s)
        answered = answers(question, reply)
        if ttl_s <= 0 or not is_storable(reply, kind, answered=answered):
            return reply, None
        half = self._settings.denial if kind in DENYING else self._settings.success
        if is_below_any(key[0], half.excepted):
            return reply, None
        kept = shared(reply, key[0])
        octets = octets_of(kept, key[0])
        entry = Entry(kept, kind, key[0], ttl_s, int(now), answered, server, octets=octets)
        return reply, entry if self._put(question, key, entry) else None

    def _put(self, question: Question, key: Key, entry: Entry) -> bool:
        """The newest reply counts: it ends that in the other half, unless it is only a failure, or only a denial where
        answers are preferred."""
        prefers = self._settings.prefer_positive
        if entry.kind in DENYING:
            if entry.kind in DENIALS and not prefers:
                self.success.remove(key)
            if self._below.is_certain(question, entry.reply, entry.kind):
                self.denial.put(_for_every_type(key, key[0]), entry)
            return self.denial.put(key, entry)
        if prefers and not entry.answers:
            before = self.success.get(key)
            entry.good = before and before.answering()
            entry.octets += entry.good.octets if entry.good else 0
        if entry.answers or not prefers:
            self._forget(key)
        return self.success.put(key, entry)

    def _forget(self, key: Key) -> None:
        self.success.remove(key)
        self.denial.remove(key)
        self.denial.remove(_for_every_type(key, key[0]))


def is_storable(reply: Reply, kind: Kind, *, answered: bool) -> bool:
    """Whether it may be given again: a whole reply that says what there is, or for how long there is nothing.
    *answered*: it has what was asked for."""
    if reply.truncated or kind in (Kind.OTHER, Kind.TRANSFER):
        return False
    if kind is Kind.NXDOMAIN:
        return has_soa(reply)
    # A chain that leads nowhere says nothing without an SOA (RFC 2308 section 5).
    return answered or kind is not Kind.SUCCESS or not reply.answer


def _for_every_type(key: Key, name: bytes) -> Key:
    return name, EVERY_TYPE, *key[2:]
