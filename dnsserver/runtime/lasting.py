"""Replies that hold for a time, such as cached ones of other servers, as octets.

What a plugin remembers is asked for once, compiled, and given from here until its time is over; its TTLs are counted
down in place. Each second the replies to the queries of that second are kept ready.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from dnsserver.answering.fast import OPT_SIZE, fast_reply, is_commonplace
from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.answering.stored import StoredAnswer, compile_answer, ttl_places, with_ttl
from dnsserver.observability.tallies import Tallies
from dnsserver.plugins.loadbalance.handler import grouped, is_restless
from dnsserver.runtime.ready import UNCOUNTED, Place, Places, Ready, exchange_of
from dnsserver.store.hot import ENTRY_OCTETS
from dnsserver.wire.codes import Flag
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question

#: Octets. What is kept in all: some 40,000 ordinary replies.
KEPT_OCTETS_MAX = 32 << 20
#: In the fourth octet of a header, and in the third of OPT's flags.
_CD, _DO = 0x10, 0x80
#: Octets. What stands behind the name in a question (RFC 1035 section 4.1.2).
_TYPE_AND_CLASS = 4


@dataclass(slots=True)
class _Kept:
    """`answer` is right for `second`, from which on its TTLs are `ttl` and less."""

    place: Place
    answer: StoredAnswer
    second: int
    until: int
    ttl: int
    ttls: tuple[int, ...]
    plugin: str
    counted: Callable[[int], None]

    def at(self, second: int) -> StoredAnswer:
        """The answer as it stands in *second*."""
        if second != self.second:
            self.ttl -= second - self.second
            self.second = second
            if self.ttls:
                self.answer = with_ttl(self.answer, self.ttls, max(self.ttl, 0))
        return self.answer


class LastingReplies:
    """Those of one listener."""

    def __init__(self, places: Places, tallies: Tallies, dice: Random, room: float) -> None:
        """*room*: the part of the usual octets that there is."""
        self._places = places
        self._tallies = tallies
        self._dice = dice
        self._most = int(KEPT_OCTETS_MAX * room)
        self._octets = 0
        # The oldest of a plain dict is found ever more slowly, the more have gone before it.
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._second = 0

    def __repr__(self) -> str:
        return f"<LastingReplies kept={len(self._kept)}>"

    def tick(self, second: int) -> bool:
        """Note what Unix second it is; whether that is another than before. When it is an earlier one, the clock was
        set back: nobody knows any more how old a reply is."""
        if second == self._second:
            return False
        if second < self._second:
            self.clear()
        self._second = second
        return True

    def clear(self) -> None:
        self._kept.clear()
        self._octets = 0

    def answer(self, octets: bytes, end: int, protocol: str, ipv6: bool, ready: Ready) -> bytes | None:
        """The reply to the query *octets*, whose question ends at *end*; None where the chain has to be asked.

        *ready* then has it for whoever asks the same in this second.
        """
        found = ready.get_of_second(octets[2:])
        if found is not None:
            found[2][0] += 1
            return octets[:2] + found[0]
        do = octets[11] == 1 and len(octets) >= end + OPT_SIZE and bool(octets[end + 7] & _DO)
        question = octets[HEADER_SIZE:end]
        kept = self._found(question, do=do, cd=bool(octets[3] & _CD))
        if kept is None or (kept.place.reads_options and len(octets) > end + OPT_SIZE):
            return None
        answer = kept.at(self._second)
        reply = fast_reply(octets, end, answer, b"", self._dice, udp=protocol == "udp")
        if reply is None:
            return None
        tally = UNCOUNTED
        if kept.place.counters is not None:
            rtype = question[-4] << 8 | question[-3]
            exchange = exchange_of(protocol, ipv6, rtype, answer.rcode, kept.plugin, do)
            tally = self._tallies.tally(kept.place.counters, exchange, len(octets), len(reply), kept.counted)
        tally[0] += 1
        if not answer.shuffled and is_commonplace(octets, end):
            ready.put_of_second(octets[2:], (reply[2:], len(reply), tally, None, None))
        return reply

    def plain(self, query: Query) -> Reply | None:
        """What is remembered for *query* now, as a reply."""
        placed = self._places.of(query.question.encode())
        do, cd = query.edns is not None and query.edns.do, bool(query.header.flags & Flag.CD)
        found = None if placed is None else placed[1].passage.lasting(query.question, do=do, cd=cd)
        if found is None:
            return None
        return replace(
            found.reply, authentic=found.reply.authentic and (do or bool(query.header.flags & Flag.AD))
        )

    def _found(self, question: bytes, *, do: bool, cd: bool) -> _Kept | None:
        """What is kept for *question*, learnt if need be, if it is right for this spelling of the name."""
        lower = question[:-_TYPE_AND_CLASS].lower() + question[-_TYPE_AND_CLASS:]
        key = lower + bytes((do, cd))
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._second:
            self._drop(key)
            kept = self._learn(key, lower, do=do, cd=cd)
        return kept if kept is None or kept.answer.any_case or question == lower else None

    def _learn(self, key: bytes, octets: bytes, *, do: bool, cd: bool) -> _Kept | None:
        """Ask the plugins; keep what one remembers."""
        placed = self._places.of(octets)
        if placed is None or not placed[1].passage.remembers:
            return None
        question, place = placed
        found = place.passage.lasting(question, do=do, cd=cd)
        if found is None or not found.second <= self._second < found.until:
            return None

        def other(spelling: Question) -> Reply | None:
            twin = place.passage.lasting(spelling, do=do, cd=cd)
            return None if twin is None else settled(twin.reply)

        def settled(reply: Reply) -> Reply:
            return grouped(reply) if place.shuffles else reply

        restless = place.shuffles and is_restless(found.reply)
        answer = compile_answer(question, settled(found.reply), other, shuffle=restless)
        if answer is None or (restless and not answer.shuffled):
            return None
        ttls = ttl_places(answer) if found.ages else ()
        ttl = int.from_bytes(answer.body[ttls[0] : ttls[0] + 4], "big") if ttls else 0
        kept = _Kept(place, answer, found.second, found.until, ttl, ttls, found.reply.plugin, found.counted)
        self._put(key, kept)
        return kept

    def _put(self, key: bytes, kept: _Kept) -> None:
        """The oldest go when there is no room."""
        self._kept[key] = kept
        self._octets += _cost(key, kept)
        while self._octets > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._octets -= _cost(key, kept)


def _cost(key: bytes, kept: _Kept) -> int:
    return ENTRY_OCTETS + len(key) + len(kept.answer.body)
