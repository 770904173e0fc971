"""Octets to octets without the plugin chain, where the cluster's state alone says the answer (docs/architecture.md,
"A query"): replies that only want their ID, and stored answers for what is asked in a less common way."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from dnsserver.answering.fast import OPT_SIZE, fast_reply, is_commonplace
from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.answering.stored import (
    ADDRESS_SIZES,
    SOA_TAIL,
    StoredAnswer,
    compile_answer,
    is_negative,
    question_end,
)
from dnsserver.observability.tallies import Tallies
from dnsserver.plugins.loadbalance.handler import is_restless, reordered
from dnsserver.runtime.judging import is_just
from dnsserver.runtime.lasting import LastingReplies
from dnsserver.runtime.passage import StateReply
from dnsserver.runtime.ready import UNCOUNTED, Chooser, Place, Places, Ready, exchange_of
from dnsserver.store.hot import HotAnswers
from dnsserver.transports.responder import NothingReady, ReadyReply
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.edns import encode_options
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ObjectKey

LOG = logging.getLogger("dnsserver.server")

#: Of an arrival, the plain path's encoding looks at the protocol alone.
_ARRIVALS = {protocol: Arrival(protocol, "", 0, "", 0) for protocol in ("udp", "tcp")}
#: Orders of addresses that take turns where the addresses stand in several sections, chained by pointers, or are too
#: many for any message: such a reply costs as much as its records. Where some had to be left out there are more turns,
#: so that clients get to know more of them. As many as AT_ONCE are made at a time.
VARIANTS, CUT_VARIANTS, AT_ONCE = 4, 64, 4
#: The part of the usual room that TCP and these orders have.
RARE = 0.125
#: TC, in the third octet of a message.
_TRUNCATED = Flag.TC >> 8


@dataclass(frozen=True, slots=True)
class _Held:
    """A stored answer; None: it cannot be stored, do not try again. `restless`: the order of its addresses is another
    each time, so that no reply can be kept ready. `serial`: what negative answers have now; `plugin`: who answers."""

    answer: StoredAnswer | None
    place: Place
    restless: bool
    serial: list[bytes]
    plugin: str

    @property
    def size(self) -> int:
        return 0 if self.answer is None else len(self.answer.body)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the state says to a question."""

    question: Question
    place: Place
    state: StateReply
    serial: list[bytes]

    @property
    def reply(self) -> Reply:
        return self.state.reply

    @property
    def service(self) -> ObjectKey | None:
        """Whose change ends it."""
        return self.state.service

    @property
    def restless(self) -> bool:
        """Whether `loadbalance` would make another reply of it each time."""
        return self.place.shuffles and is_restless(self.reply)

    @property
    def inventable(self) -> bool:
        """Whether clients can ask for ever more such: negative answers, but for NODATA of an address type. Those are as
        many as there are names, and every second question on a cluster of one family."""
        nodata = self.reply.rcode == Rcode.NOERROR and self.question.rtype in ADDRESS_SIZES
        return is_negative(self.reply) and not nodata


class FastPath:
    """Answers what it has seen before, and learns what it has not, as far as a site's answers may be repeated.

    A question that needs more than the cluster's state, or a site with a plugin that wants to see every query, is left
    to the chain: `answer` then gives None. *refresh* brings the states up to date, before each batch. *judged* is the
    share of replies, 0 to 1, that are compared with what the plain path gives at that moment; one that differs is not
    sent, logged and counted in `misjudged`.
    """

    def __init__(
        self,
        choose: Chooser,
        states: Iterable[ClusterState],
        refresh: Callable[[], None],
        rng: Random | None = None,
        *,
        now: Callable[[], float] = time.time,
        judged: float = 0.0,
        room: float = 1.0,
    ) -> None:
        """*now*: Unix seconds; *room*: as in HotAnswers."""
        self._places = Places(choose)
        self._bring_up_to_date = refresh
        self._now = now
        self._dice = rng or Random()
        self._judged = judged
        self.misjudged = 0
        self.tallies = Tallies()
        self._lasting = LastingReplies(self._places, self.tallies, self._dice, room)
        self._stored: HotAnswers[_Held] = HotAnswers(lambda held: held.size, room)
        self._varied: HotAnswers[list[bytes]] = HotAnswers(_octets_of, room * RARE)
        self._ready = {
            (protocol, ipv6): Ready(self.tallies, self._refresh, room if protocol == "udp" else room * RARE)
            for protocol in _ARRIVALS
            for ipv6 in (False, True)
        }
        self._serials: dict[ClusterState, list[bytes]] = {state: [b""] for state in states}
        for state in self._serials:
            state.subscribe(self._changed)
        self._note_serials()

    def __repr__(self) -> str:
        ready = sum(len(each.replies) for each in self._ready.values())
        return f"<FastPath ready={ready} stored={len(self._stored)}>"

    def ready(self, ipv6: bool) -> Ready | NothingReady:
        """For the UDP sockets of an IP version. Where replies are judged, all of them come from `answer`."""
        return NothingReady() if self._judged else self._ready["udp", ipv6]

    def forget(self) -> None:
        """Give no reply again that was given before."""
        self._changed(None)
        self._lasting.clear()
        for ready in self._ready.values():
            ready.end_second()

    def close(self) -> None:
        """Have no reply ready any more, also for sockets that hold on to `ready`; what was given is counted."""
        self.tallies.fold()
        self.forget()

    def answer(self, octets: bytes, protocol: str, ipv6: bool) -> bytes | None:
        """The reply to *octets*, or None to take the chain. *ipv6*: the client's address is one."""
        begun = time.perf_counter()
        self._refresh()
        end = question_end(octets)
        if end < 0:
            return None
        held = self._stored.get(octets[HEADER_SIZE:end])
        reply = None
        if held is None:
            reply = self._lasting_reply(octets, end, protocol, ipv6, begun)
            if not self._serials:
                return reply  # there is no cluster
        if reply is None and (held is None or not held.restless) and is_commonplace(octets, end):
            return self._ready_reply(octets, end, protocol, ipv6, begun)
        return reply or self._stored_reply(octets, end, protocol, ipv6, begun)

    def _lasting_reply(
        self, octets: bytes, end: int, protocol: str, ipv6: bool, begun: float
    ) -> bytes | None:
        reply = self._lasting.answer(octets, end, protocol, ipv6, self._ready[protocol, ipv6])
        if reply is None or (self._judged and not self._just(reply, octets, protocol)):
            return None
        self.tallies.lasted(time.perf_counter() - begun, 1)
        return reply

    def _refresh(self) -> None:
        self._bring_up_to_date()
        if self._lasting.tick(int(self._now())):
            for ready in self._ready.values():
                ready.end_second()

    # Replies that only want their ID.

    def _ready_reply(self, octets: bytes, end: int, protocol: str, ipv6: bool, begun: float) -> bytes | None:
        """As BatchPort does it, which comes here with what it has not found."""
        replies = self._ready[protocol, ipv6].replies
        key = octets[2:]
        found = replies.of_services.young.get(key) or replies.others.young.get(key)
        if found is None:
            found = replies.revive(key, _service)
        if found is None:
            said = self._said(octets[HEADER_SIZE:end])
            if said is None:
                return None
            found = None if said.restless else self._learn_ready(octets, said, protocol, ipv6)
            if found is None:
                return self._stored_reply(octets, end, protocol, ipv6, begun)
        template, _, tally, changing, _ = found
        reply = octets[:2] + template
        if changing is not None:
            place, now = changing
            reply = reply[:place] + now[0] + reply[place + 4 :]
        if self._judged and not self._just(reply, octets, protocol):
            return None
        if tally is not UNCOUNTED:
            tally[0] += 1
            self.tallies.lasted(time.perf_counter() - begun, 1)
        return reply

    def _learn_ready(self, octets: bytes, said: _Said, protocol: str, ipv6: bool) -> ReadyReply | None:
        query = read_query(octets, _ARRIVALS[protocol])
        if not isinstance(query, Query):
            return None
        sent = encode(said.reply, query)
        whole = not sent[2] & _TRUNCATED
        opt = 0 if query.edns is None else OPT_SIZE + len(encode_options(said.reply.options))
        # A reply that is cut has lost its SOA record first: nothing in it changes.
        changing = (len(sent) - opt - SOA_TAIL, said.serial) if whole and is_negative(said.reply) else None
        tally = UNCOUNTED
        if said.place.counters is not None:
            do = query.edns is not None and query.edns.do
            exchange = exchange_of(
                protocol, ipv6, said.question.rtype, said.reply.rcode, said.reply.plugin, do
            )
            tally = self.tallies.tally(said.place.counters, exchange, len(octets), len(sent))
        found: ReadyReply = (sent[2:], len(sent), tally, changing, said.service)
        replies = self._ready[protocol, ipv6].replies
        replies.put(octets[2:], found, said.service, inventable=said.inventable)
        return found

    # Stored answers.

    def _stored_reply(self, octets: bytes, end: int, protocol: str, ipv6: bool, begun: float) -> bytes | None:
        question = octets[HEADER_SIZE:end]
        held = self._stored.get(question) or self._other_spelling(question)
        if held is None:
            return None
        place = held.place
        if place.reads_options and len(octets) > end + OPT_SIZE:
            return None
        if held.answer is None:
            reply = self._varied_reply(octets, end, protocol) if held.restless else None
        else:
            reply = fast_reply(octets, end, held.answer, held.serial[0], self._dice, udp=protocol == "udp")
        if reply is None or (self._judged and not self._just(reply, octets, protocol)):
            return None
        if place.counters is not None:
            do = octets[11] == 1 and bool(octets[end + 7] & 0x80)
            exchange = exchange_of(
                protocol, ipv6, question[-4] << 8 | question[-3], reply[3] & 15, held.plugin, do
            )
            place.counters.add(exchange, len(octets), len(reply), time.perf_counter() - begun)
        return reply

    def _varied_reply(self, octets: bytes, end: int, protocol: str) -> bytes | None:
        """One of some replies to the same octets, whose addresses stand in another order in each."""
        if not is_commonplace(octets, end):
            return None
        key = octets[2:] + protocol.encode()
        some = self._varied.get(key) or []
        if len(some) < _most(some):
            query, said = read_query(octets, _ARRIVALS[protocol]), self._said(octets[HEADER_SIZE:end])
            if said is None or not isinstance(query, Query):
                return None
            some += [encode(reordered(said.reply), query)[2:] for _ in range(AT_ONCE)]
            self._varied.put(key, some, said.service, inventable=said.inventable)
            return octets[:2] + some[-1]
        return octets[:2] + some[self._dice.sample(range(len(some)), 1)[0]]

    def _other_spelling(self, question: bytes) -> _Held | None:
        """What is held for the name in lower case, learnt if need be, if it is right for this spelling too."""
        lower = question[:-4].lower() + question[-4:]
        held = self._stored.get(lower) or self._learn_stored(lower)
        if held is None or held.answer is None or lower == question:
            return held
        return held if held.answer.any_case else None

    def _learn_stored(self, octets: bytes) -> _Held | None:
        said = self._said(octets)
        if said is None:
            return None
        shuffle = said.place.shuffles
        answer = compile_answer(said.question, said.reply, said.state.to, shuffle=shuffle)
        held = _Held(answer, said.place, said.restless, said.serial, said.reply.plugin)
        self._stored.put(octets, held, said.service, inventable=said.inventable)
        return held

    # Both.

    def _said(self, octets: bytes) -> _Said | None:
        """What the state says to the question that *octets* are; None where it has not the only say."""
        placed = self._places.of(octets)
        if placed is None:
            return None
        question, place = placed
        found = place.passage.from_state(question)
        if found is None:
            return None
        return _Said(question, place, found, self._serials[found.by.state])

    def _changed(self, keys: frozenset[ObjectKey] | None) -> None:
        self._note_serials()
        answers: list[HotAnswers[ReadyReply] | HotAnswers[_Held] | HotAnswers[list[bytes]]]
        answers = [self._stored, self._varied]
        answers += [ready.replies for ready in self._ready.values()]
        for each in filter(len, answers):
            if keys is None or any(not key.namespace for key in keys):
                each.clear()  # a Namespace: any number of names hang on it
            else:
                each.forget(keys)

    def _note_serials(self) -> None:
        for state, serial in self._serials.items():
            serial[0] = (state.serial & 0xFFFFFFFF).to_bytes(4, "big")

    def _just(self, reply: bytes, octets: bytes, protocol: str) -> bool:
        """Whether *reply* is what the plain path would say; addresses may stand in another order."""
        if self._dice.random() >= self._judged:
            return True
        query = read_query(octets, _ARRIVALS[protocol])
        if isinstance(query, Query):
            said = self._said(octets[HEADER_SIZE : question_end(octets)])
            plain = self._lasting.plain(query) if said is None else said.reply
            if plain is not None and is_just(reply, query, plain, restless=said is None or said.restless):
                return True
        self.misjudged += 1
        if self.misjudged & (self.misjudged - 1) == 0:  # the 1st, 2nd, 4th...: a client must not fill the log
            LOG.error(
                "the fast path's reply is not the plain path's, this is a bug (time %d): %s to %s",
                self.misjudged,
                reply.hex(),
                octets.hex(),
            )
        return False


def _most(variants: list[bytes]) -> int:
    """How many there are to be: no more where the first are all the same, as SRV records stay in their order."""
    if not variants or not variants[0][0] & _TRUNCATED:
        return VARIANTS
    return CUT_VARIANTS if len(set(variants[:AT_ONCE])) > 1 else AT_ONCE


def _octets_of(variants: list[bytes]) -> int:
    """Of all that there will be."""
    return len(variants[0]) * _most(variants)


def _service(reply: ReadyReply) -> ObjectKey | None:
    """Whose change ends it."""
    kept_for = reply[4]
    return kept_for if isinstance(kept_for, ObjectKey) else None
