"""Octets to octets without the plugin chain, where a stored answer says the same (docs/architecture.md, "A query")."""

import time
from collections.abc import Callable
from random import Random

from dnsserver.answering.fast import fast_reply
from dnsserver.answering.stored import compile_answer, question_end
from dnsserver.observability.counters import OTHER, TYPES, ZoneCounters
from dnsserver.plugins.plugin import Repeatable
from dnsserver.runtime.sites import BuiltSite
from dnsserver.store.hot import Held, HotAnswers
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import WireError
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ObjectKey

#: Where a question is answered: the site, and what counts its queries, if anything does.
Chooser = Callable[[Question], tuple[BuiltSite, ZoneCounters | None] | None]


class FastPath:
    """Answers what it has seen before, and learns what it has not, as far as a site's answers may be repeated.

    A question that needs more than the cluster's state, or a site with a plugin that wants to see every query, is left
    to the chain: `answer` then gives None.
    """

    def __init__(self, choose: Chooser, states: set[ClusterState], rng: Random | None = None) -> None:
        self._choose = choose
        self._hot: HotAnswers[tuple[ClusterState, ZoneCounters | None]] = HotAnswers()
        self._shuffle = (rng or Random()).shuffle
        for state in states:
            state.subscribe(self._changed)

    def __repr__(self) -> str:
        return f"<FastPath answers={len(self._hot)}>"

    def answer(self, octets: bytes, protocol: str, ipv6: bool) -> bytes | None:
        """The reply to *octets*, or None to take the chain. *ipv6*: the client's address is one. Never raises."""
        begun = time.perf_counter()
        end = question_end(octets)
        if end < 0 or octets[2] & 0xF8:
            return None
        question = octets[HEADER_SIZE:end]
        held = self._hot.get(question)
        if held is None:
            held = self._other_spelling(question)
            if held is None:
                return None
        stored = held.answer
        if stored is None:
            return None
        state, counters = held.source
        serial = (state.serial & 0xFFFFFFFF).to_bytes(4, "big")
        reply = fast_reply(octets, end, stored, serial, self._shuffle, udp=protocol == "udp")
        if reply is not None and counters is not None:
            rtype = question[-4] << 8 | question[-3]
            do = octets[11] == 1 and bool(octets[end + 7] & 0x80)
            exchange = (
                protocol,
                ipv6,
                rtype if rtype in TYPES else OTHER,
                stored.rcode,
                "kubernetes",
                do,
            )
            counters.add(exchange, len(octets), len(reply), time.perf_counter() - begun)
        return reply

    def _other_spelling(self, question: bytes) -> Held[tuple[ClusterState, ZoneCounters | None]] | None:
        """What is held for the name in lower case, learnt if need be, if it is right for this spelling too."""
        lower = question[:-4].lower() + question[-4:]
        held = self._hot.get(lower) or self._learn(lower)
        if held is None or held.answer is None or lower == question:
            return held
        return held if held.answer.any_case else None

    def _learn(self, octets: bytes) -> Held[tuple[ClusterState, ZoneCounters | None]] | None:
        try:
            question, end = Question.decode(octets, 0)
        except WireError:
            return None
        chosen = self._choose(question) if end == len(octets) and question.rtype != Type.ANY else None
        if chosen is None or chosen[0].repeatable is None:
            return None
        site, counters = chosen
        repeatable: Repeatable = chosen[0].repeatable
        found = repeatable.repeatable(question)
        if found is None:
            return None
        other = Question(question.name.swapcase(), question.rtype, question.rclass)
        twin = repeatable.repeatable(other)
        stored = compile_answer(question, found[0], other, twin and twin[0], shuffle=site.shuffles)
        held = Held(stored, (repeatable.state, counters))
        self._hot.put(octets, held, found[1])
        return held

    def _changed(self, keys: frozenset[ObjectKey]) -> None:
        if any(not key.namespace for key in keys):
            self._hot.clear()  # a Namespace: any number of names hang on it
        else:
            self._hot.forget(keys)
