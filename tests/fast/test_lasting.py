"""Replies that hold for a time: given as octets while it lasts, counted down by the second, counted."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.config import ServerBlock
from dnsserver.observability.counters import Meter, ZoneCounters
from dnsserver.plugins.plugin import Lasting, Plugin, Repeats, no_next_plugin
from dnsserver.runtime import lasting
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from dnsserver.store.hot import ENTRY_OCTETS
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record, address_rdata, name_rdata, soa_rdata
from tests.answering.packets import AD, CD, RD, message, opt

UDP = Arrival("udp", "192.0.2.1", 4711, "192.0.2.2", 53)
NAME, TARGET = names.from_text("www.example.org."), names.from_text("Host.example.net.")
#: Unix seconds at which everything is remembered first, and how long it lasts.
BEGIN, LASTS_S = 1_000, 60
#: An OPT record is there; it has DO.
WITH_OPT, DO = (1, 0, 0, 1), 0x8000


def addresses(owner: bytes, *texts: str) -> tuple[Record, ...]:
    return tuple(Record(owner, Type.A, 0, address_rdata(text)) for text in texts)


def negative() -> Reply:
    zone = names.from_text("example.org.")
    soa = soa_rdata(names.from_text("ns.example.org."), zone, 2026, 7200, 1800, 86400, 60)
    return Reply(rcode=Rcode.NXDOMAIN, authority=(Record(zone, Type.SOA, 0, soa),))


@dataclass
class Memory:
    """Remembers *make* of the spelling of the question, as a plugin would: TTLs are those of `unix_s`."""

    make: Callable[[bytes], Reply]
    ages: bool = True
    unix_s: float = BEGIN
    asked: int = 0
    counts: list[int] = field(default_factory=list)
    known: bool = True

    def now(self) -> float:
        return self.unix_s

    def lasting(self, question: Question, *, do: bool, cd: bool) -> Lasting | None:
        self.asked += 1
        if not self.known or question.name.lower() != NAME:
            return None
        second = int(self.unix_s)
        ttl = BEGIN + LASTS_S - (second if self.ages else BEGIN)
        reply = _with_ttl(self.make(question.name), ttl)
        rcode = Rcode.NOERROR if do or cd else reply.rcode  # so that a test sees which of them was asked for
        return Lasting(replace(reply, rcode=rcode), second, BEGIN + LASTS_S, self.ages, self.counts.append)


def _with_ttl(reply: Reply, ttl: int) -> Reply:
    def all_with(records: tuple[Record, ...]) -> tuple[Record, ...]:
        return tuple(replace(record, ttl=ttl) for record in records)

    sections = map(all_with, (reply.answer, reply.authority, reply.additional))
    answer, authority, additional = sections
    return replace(reply, answer=answer, authority=authority, additional=additional, plugin="cache")


def one(spelling: bytes) -> Reply:
    return Reply(answer=addresses(spelling, "192.0.2.7"), authoritative=True, recursion_available=True)


def chained(spelling: bytes) -> Reply:
    alias = Record(spelling, Type.CNAME, 0, name_rdata(TARGET))
    return Reply(answer=(alias, *addresses(TARGET, "192.0.2.7")), authoritative=True)


def dispatcher(
    memory: Memory, *fronts: Plugin, counters: ZoneCounters | None = None, judged: float = 0.0
) -> Dispatcher:
    cache = Plugin(name="cache", wrap=lambda following: following, repeats=Repeats.ALTERED, remembers=memory)
    site = BuiltSite(ServerBlock((), (), "test", 1), (*fronts, cache), no_next_plugin, ())
    meter = None if counters is None else Meter({b"\0": counters}, ZoneCounters())
    return Dispatcher({b"\0": site}, meter, now=memory.now, judged=judged)


def asked(name: bytes = NAME, word: int = RD, with_opt: bool = False, ttl: int = 0) -> bytes:
    body = name + b"\0\1\0\1" + (opt(ttl=ttl) if with_opt else b"")
    return message(body, word, WITH_OPT if with_opt else (1, 0, 0, 0))


def plainly(reply: Reply, octets: bytes) -> bytes:
    query = read_query(octets, UDP)
    assert isinstance(query, Query)
    return encode(reply, query)


def ready(front: Dispatcher, octets: bytes) -> bytes | None:
    found = next(filter(None, (find(octets[2:]) for find in front.ready(ipv6=False).find())), None)
    if found is None:
        return None
    found[2][0] += 1
    return octets[:2] + found[0]


@pytest.mark.parametrize("make", [one, chained, lambda _: negative()], ids=["one", "chained", "negative"])
def test_every_second_has_its_ttl(make: Callable[[bytes], Reply]) -> None:
    memory = Memory(make)
    front = dispatcher(memory)
    octets = asked()
    rng = Random(4)
    seconds = sorted(rng.sample(range(BEGIN + 1, BEGIN + LASTS_S), 20))
    for second in (BEGIN, *seconds):
        memory.unix_s = second + rng.random()
        expected = plainly(_with_ttl(make(NAME), BEGIN + LASTS_S - second), octets)
        assert ready(front, octets) is None
        assert front.answer_now(octets, "udp", ipv6=False) == expected
        assert ready(front, octets) == expected
        assert front.answer_now(octets, "udp", ipv6=False) == expected
    assert memory.asked == 2  # with its other spelling


def test_ttls_that_do_not_age_stay() -> None:
    memory = Memory(one, ages=False)
    front = dispatcher(memory)
    for second in (BEGIN, BEGIN + 30, BEGIN + LASTS_S - 1):
        memory.unix_s = second
        assert front.answer_now(asked(), "udp", ipv6=False) == plainly(_with_ttl(one(NAME), LASTS_S), asked())


def test_it_ends_at_its_time() -> None:
    memory = Memory(one)
    front = dispatcher(memory)
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    memory.known = False
    memory.unix_s = BEGIN + LASTS_S - 0.001
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    memory.unix_s = BEGIN + LASTS_S
    assert ready(front, asked()) is None
    assert front.answer_now(asked(), "udp", ipv6=False) is None


def test_a_clock_may_be_set_back() -> None:
    memory = Memory(one)
    front = dispatcher(memory)
    memory.unix_s = BEGIN + 50
    assert front.answer_now(asked(), "udp", ipv6=False) == plainly(_with_ttl(one(NAME), 10), asked())
    memory.unix_s = BEGIN + 20
    assert front.answer_now(asked(), "udp", ipv6=False) == plainly(_with_ttl(one(NAME), 40), asked())


def test_a_clock_that_goes_back_ends_it() -> None:
    """Else a year's correction would have it given for a year."""
    memory = Memory(one)
    front = dispatcher(memory)
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    memory.known = False
    memory.unix_s = BEGIN - 500
    assert ready(front, asked()) is None
    assert front.answer_now(asked(), "udp", ipv6=False) is None


def test_it_ends_when_all_is_to_be_forgotten() -> None:
    memory = Memory(one)
    front = dispatcher(memory)
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    memory.known = False
    front.forget()
    assert ready(front, asked()) is None
    assert front.answer_now(asked(), "udp", ipv6=False) is None


def test_every_spelling_shares_it() -> None:
    memory = Memory(one)
    front = dispatcher(memory)
    for spelling in (NAME, names.from_text("WWW.EXAMPLE.ORG."), names.from_text("wWw.eXaMpLe.OrG.")):
        octets = asked(spelling)
        expected = plainly(_with_ttl(one(spelling), LASTS_S), octets)
        assert front.answer_now(octets, "udp", ipv6=False) == expected
    assert memory.asked == 2


def test_do_and_cd_are_apart() -> None:
    memory = Memory(lambda _: negative())
    front = dispatcher(memory)
    found = [
        front.answer_now(octets, "udp", ipv6=False)
        for octets in (
            asked(),
            asked(with_opt=True),
            asked(with_opt=True, ttl=DO),
            asked(word=CD),
            asked(word=AD),
        )
    ]
    assert [reply and reply[3] & 15 for reply in found] == [3, 3, 0, 0, 3]


@pytest.mark.parametrize(
    ("front", "taken"),
    [
        (Plugin(name="front", wrap=lambda following: following), False),
        (Plugin(name="front", wrap=lambda following: following, leaves_alone=lambda _: True), True),
        (Plugin(name="front", wrap=lambda following: following, leaves_alone=lambda _: False), False),
        (Plugin(name="front", wrap=lambda following: following, repeats=Repeats.AS_IT_IS), True),
        (Plugin(name="front"), True),
    ],
)
def test_plugins_in_front(front: Plugin, taken: bool) -> None:
    assert (dispatcher(Memory(one), front).answer_now(asked(), "udp", ipv6=False) is not None) == taken


def test_a_plugin_in_front_alters_it() -> None:
    def alters(question: Question, reply: Reply) -> Reply:
        assert question.name.lower() == NAME
        return replace(reply, authoritative=False, payload_max=512)

    front = Plugin(name="front", wrap=lambda following: following, repeats=Repeats.ALTERED, alters=alters)
    octets = asked(with_opt=True)
    found = dispatcher(Memory(one), front).answer_now(octets, "udp", ipv6=False)
    assert found == plainly(alters(Question(NAME, Type.A), _with_ttl(one(NAME), LASTS_S)), octets)


def test_options_that_a_plugin_reads_are_left_to_it() -> None:
    plugin = Plugin(
        name="nsid", wrap=lambda following: following, repeats=Repeats.AS_IT_IS, reads_options=True
    )
    front = dispatcher(Memory(one), plugin)
    octets = message(NAME + b"\0\1\0\1" + opt(rdata=b"\0\3\0\0"), RD, WITH_OPT)
    assert front.answer_now(octets, "udp", ipv6=False) is None
    assert front.answer_now(asked(with_opt=True), "udp", ipv6=False) is not None
    assert dispatcher(Memory(one)).answer_now(octets, "udp", ipv6=False) is not None


def test_addresses_are_shuffled() -> None:
    def three(spelling: bytes) -> Reply:
        return Reply(answer=addresses(spelling, "192.0.2.1", "192.0.2.2", "192.0.2.3"), authoritative=True)

    balanced = Plugin(name="front", wrap=lambda following: following, repeats=Repeats.SHUFFLED)
    memory = Memory(three)
    front = dispatcher(memory, balanced)
    seen = {front.answer_now(asked(), "udp", ipv6=False) for _ in range(200)}
    assert None not in seen
    assert len(seen) == 6
    assert memory.asked == 2


THREE = addresses(NAME, "192.0.2.1", "192.0.2.2", "192.0.2.3")
SERVERS = tuple(Record(NAME, Type.NS, 0, name_rdata(TARGET)) for _ in range(2))
MX = tuple(Record(NAME, Type.MX, 0, Rdata(b"\0\x0a", (TARGET,))) for _ in range(2))
SIGNATURE = Record(NAME, 46, 0, Rdata(bytes(20)))


@pytest.mark.parametrize(
    ("reply", "orders"),
    [
        (Reply(answer=THREE, authority=SERVERS), 6),
        (Reply(answer=THREE, additional=addresses(TARGET, "192.0.2.9")), 6),
        (Reply(answer=(*THREE, SIGNATURE)), 6),
        (Reply(answer=(*THREE[:2], *(replace(record, rtype=Type.AAAA) for record in THREE))), 0),
        (Reply(answer=MX), 0),
        (Reply(additional=THREE), 0),
        (Reply(answer=(*MX[:1], SIGNATURE)), 1),
        (Reply(rcode=Rcode.NXDOMAIN, answer=(*THREE, SIGNATURE)), 1),
    ],
)
def test_no_order_is_given_to_all(reply: Reply, orders: int) -> None:
    """Addresses are shuffled whatever else the reply has; where that cannot be done quickly, the chain does it."""
    balanced = Plugin(name="front", wrap=lambda following: following, repeats=Repeats.SHUFFLED)
    front = dispatcher(Memory(lambda _: reply), balanced)
    found = {front.answer_now(asked(), "udp", ipv6=False) for _ in range(200)}
    assert len(found - {None}) == orders
    for octets in found - {None}:
        shown, whole = Message.decode(octets or b""), _with_ttl(reply, LASTS_S)
        assert Counter(shown.answer) == Counter(whole.answer)
        assert (shown.authority, shown.additional) == (whole.authority, whole.additional)
        signed_first = [record.rtype == SIGNATURE.rtype for record in shown.answer]
        assert reply.rcode or signed_first == sorted(signed_first, reverse=True)


@pytest.mark.parametrize("covered", [True, False])
def test_what_a_cache_would_keep_is_left_to_it(covered: bool) -> None:
    """Else those behind it would never be asked by the chain, and the TTL would not count down."""
    silent = Memory(one, known=False)
    front = Plugin(
        name="first",
        wrap=lambda following: following,
        repeats=Repeats.ALTERED,
        remembers=silent,
        leaves_alone=lambda _: not covered,
    )
    found = dispatcher(Memory(one), front).answer_now(asked(), "udp", ipv6=False)
    assert (found is None) == covered


def test_it_is_counted() -> None:
    counters, memory = ZoneCounters(), Memory(one)
    front = dispatcher(memory, counters=counters)
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    for _ in range(5):
        assert ready(front, asked()) is not None
    assert front.answer_now(asked(), "tcp", ipv6=True) is not None
    front.settle_counts()
    assert counters.exchanges == {
        ("udp", False, Type.A, Rcode.NOERROR, "cache", False): 6,
        ("tcp", True, Type.A, Rcode.NOERROR, "cache", False): 1,
    }
    assert sum(memory.counts) == 7


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "KEPT_OCTETS_MAX", 10_000)

    class Everything(Memory):
        def lasting(self, question: Question, **_: bool) -> Lasting | None:
            reply = _with_ttl(one(question.name), LASTS_S)
            return Lasting(reply, BEGIN, BEGIN + LASTS_S, True, self.counts.append)

    front = dispatcher(Everything(one))
    for number in range(1_000):
        name = names.from_text(f"n{number}.example.org.")
        assert front.answer_now(asked(name), "udp", ipv6=False) is not None
    assert front._fast is not None
    assert 5 < len(front._fast._lasting._kept) < 30
    assert front._fast._lasting._octets <= 10_000


def test_the_oldest_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many have gone before: under a flood of names, each that comes drives one out."""
    monkeypatch.setattr(lasting, "KEPT_OCTETS_MAX", 30_000 * ENTRY_OCTETS)
    front = dispatcher(Memory(one))
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    assert front._fast is not None
    replies = front._fast._lasting
    (kept,) = replies._kept.values()
    seconds = []
    for number in range(0, 80_000, 20_000):
        begun = time.perf_counter()
        for key in range(number, number + 20_000):
            replies._put(key.to_bytes(4, "big"), kept)
        seconds.append(time.perf_counter() - begun)
    assert len(replies._kept) < 30_000
    assert seconds[-1] < 15 * seconds[0]


@pytest.mark.parametrize("right", [True, False])
def test_it_is_judged(right: bool) -> None:
    """Compared with what the plugin remembers at that moment."""
    memory = Memory(one)
    front = dispatcher(memory, judged=1.0)
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    if not right:
        memory.make = chained
    assert (front.answer_now(asked(), "udp", ipv6=False) is not None) == right
    assert front.misjudged == (0 if right else 1)


def test_names_may_be_compressed_in_another_way() -> None:
    """Where an upstream has kept the spelling of who asked first, and somebody else spells it so too."""
    referral = Record(names.from_text("eXample.oRg."), Type.NS, 0, name_rdata(names.from_text("ns.test.")))
    memory = Memory(lambda _: Reply(authority=(referral,)))
    front = dispatcher(memory, judged=1.0)
    assert front.answer_now(asked(), "udp", ipv6=False) is not None
    assert front.answer_now(asked(names.from_text("www.eXample.oRg.")), "udp", ipv6=False) is not None
    assert front.misjudged == 0
