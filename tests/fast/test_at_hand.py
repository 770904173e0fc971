"""Answers at hand behind a dispatcher, where random clusters seldom lead: balanced aliases, 64 KiB, and failure."""

import logging
from typing import Any

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.config import ServerBlock
from dnsserver.observability.counters import Meter, ZoneCounters
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.plugins.plugin import Plugin, Repeats, no_next_plugin
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from dnsserver.store import hot
from dnsserver.store.hot import ENTRY_OCTETS, HotAnswers
from dnsserver.transports.responder import NothingReady
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Type
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.question import Question
from dnsserver.zone.objects import ClusterObject, ObjectKey
from dnsserver.zone.policy import RecordPolicy
from tests.answering.packets import AD, RD, TC, message, opt
from tests.answers.objects import external, headless, namespaces, slice_of
from tests.answers.scene import Scene, wire_name

UDP, TCP = (Arrival(protocol, "192.0.2.1", 4711, "192.0.2.2", 53) for protocol in ("udp", "tcp"))
#: Octets of an A record whose owner is a pointer, and of OPT without options.
A_SIZE, OPT_SIZE = 16, 11


def scene(count: int) -> Scene:
    addresses = " ".join(f"10.0.{number >> 8}.{number & 255}" for number in range(count))
    objects: tuple[ClusterObject, ...] = (
        *namespaces("default"),
        headless("default/db", "http:80"),
        slice_of("default/db", "x", addresses, "http:80"),
        external("default/alias", "db.default.svc.cluster.local"),
        external("default/twice", "alias.default.svc.cluster.local"),
    )
    return Scene(name="at hand", objects=objects)


def dispatcher(
    count: int, repeats: Repeats, *, at_hand: bool = True, meter: Meter | None = None, judged: float = 0.0
) -> Dispatcher:
    answers, wrap = scene(count).parts(scene(count).state())
    front = Plugin(name="front", wrap=lambda following: following, repeats=repeats)
    plugins = (front, Plugin(name="kubernetes", wrap=wrap, repeatable=answers if at_hand else None))
    site = BuiltSite(ServerBlock((), (), "test", 1), plugins, wrap(no_next_plugin), ())
    return Dispatcher({b"\0": site}, meter, judged=judged)


def question(name: str) -> bytes:
    return wire_name(f"{name}.default.svc.cluster.local.") + b"\0\1\0\1"


@pytest.mark.parametrize(("name", "aliases"), [("db", 0), ("alias", 1), ("twice", 2)])
@pytest.mark.parametrize(("repeats", "shuffled"), [(Repeats.SHUFFLED, True), (Repeats.AS_IT_IS, False)])
def test_addresses_are_shuffled_behind_an_alias_too(
    name: str, aliases: int, repeats: Repeats, shuffled: bool
) -> None:
    front = dispatcher(3, repeats)
    octets = message(question(name), RD)
    seen = {front.answer_now(octets, "udp", ipv6=False) for _ in range(200)}
    assert None not in seen
    assert len(seen) == (6 if shuffled else 1)
    bodies = [reply[: -3 * A_SIZE] for reply in seen if reply is not None]
    assert len(set(bodies)) == 1
    assert int.from_bytes(bodies[0][6:8], "big") == aliases + 3


@pytest.mark.parametrize("name", ["db", "alias"])
@pytest.mark.parametrize("with_opt", [False, True], ids=["plain", "opt"])
async def test_the_largest_replies_over_tcp(name: str, with_opt: bool) -> None:
    """A body that fills a message leaves no room for OPT: the plain path has to cut it, and say so."""
    asked = question(name)
    alias = 12 + 5 if name == "alias" else 0  # a CNAME to a label and a pointer
    most = (MESSAGE_MAX - 12 - len(asked) - alias) // A_SIZE
    opened = message(asked + opt(), RD, (1, 0, 0, 1)) if with_opt else message(asked, RD)
    for count in (most - 1, most, most + 1):
        reply = await dispatcher(count, Repeats.AS_IT_IS).respond(opened, TCP)
        plain = await dispatcher(count, Repeats.AS_IT_IS, at_hand=False).respond(opened, TCP)
        assert reply == plain
        assert reply is not None
        assert len(reply) <= MESSAGE_MAX
        whole = 12 + len(asked) + alias + count * A_SIZE + (OPT_SIZE if with_opt else 0)
        assert bool(reply[2] & TC >> 8) == (whole > MESSAGE_MAX)


async def test_a_failure_leaves_the_chain(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: StateAnswers, __: Question) -> tuple[Reply, ObjectKey | None] | None:
        raise RuntimeError("broken")

    front = dispatcher(3, Repeats.AS_IT_IS)
    octets = message(question("db"), RD)
    with monkeypatch.context() as patch:
        patch.setattr(StateAnswers, "repeatable", broken)
        assert front.answer_now(octets, "udp", ipv6=False) is None
    assert front.answer_now(octets, "udp", ipv6=False) is None
    assert isinstance(front.ready(False), NothingReady)
    assert front.panics == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    plain = await dispatcher(3, Repeats.AS_IT_IS, at_hand=False).respond(octets, UDP)
    assert await front.respond(octets, UDP) == plain


def test_a_loop_that_is_mended_is_seen() -> None:
    """The reply to an endless chain shows none of the Services along it, and hangs on all of them."""
    objects: tuple[ClusterObject, ...] = (
        *namespaces("default"),
        external("default/a", "b.default.svc.cluster.local."),
        external("default/b", "a.default.svc.cluster.local."),
    )
    scene = Scene(name="loop", objects=objects)
    state = scene.state()
    answers, _ = scene.parts(state)
    found = answers.repeatable(Question(wire_name("a.default.svc.cluster.local."), 1))
    assert found is not None
    assert found[1] is None


async def test_after_a_failure_no_reply_is_ready_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets hold on to what finds ready replies; those given before are counted."""

    def broken(_: StateAnswers, __: Question) -> tuple[Reply, ObjectKey | None] | None:
        raise RuntimeError("broken")

    counters = ZoneCounters()
    front = dispatcher(1, Repeats.AS_IT_IS, meter=Meter({b"\0": counters}, ZoneCounters()))
    octets = message(question("db"), RD)
    held = front.ready(ipv6=False)
    assert front.answer_now(octets, "udp", ipv6=False) is not None
    assert held.find()[0](octets[2:]) is not None
    monkeypatch.setattr(StateAnswers, "repeatable", broken)
    assert front.answer_now(message(question("web"), RD), "udp", ipv6=False) is None
    assert front.panics == 1
    assert [find(octets[2:]) for find in (*held.find(), *front.ready(ipv6=False).find())] == [None] * 6
    front.settle_counts()
    assert sum(counters.exchanges.values()) == sum(counters.seconds.counts) == 1
    assert 0 < counters.seconds.total < 1


async def test_what_fails_to_refresh_is_servfail_and_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("broken")

    answers, wrap = scene(1).parts(scene(1).state())
    plugin = Plugin(name="kubernetes", wrap=wrap, repeatable=answers, refresh=broken)
    front = Dispatcher(
        {b"\0": BuiltSite(ServerBlock((), (), "test", 1), (plugin,), wrap(no_next_plugin), ())}
    )
    for arrival in (UDP, TCP):
        reply = await front.respond(message(question("db"), RD), arrival)
        assert reply is not None
        assert reply[3] & 15 == 2
    assert "this is a bug" in caplog.text


# The order in which replies grow old.


def test_a_reply_that_has_grown_old_is_ready_again_once_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the halves of the table are exchanged, what is asked for all the time is found by the sockets again."""
    monkeypatch.setattr(hot, "SERVICE_OCTETS_MAX", 1)
    front = dispatcher(1, Repeats.AS_IT_IS)
    first, second = message(question("db"), RD), message(question("alias"), 0)
    for octets in (first, message(question("db"), RD | AD), first, second):
        assert front.answer_now(octets, "udp", ipv6=False) is not None
        assert any(find(octets[2:]) for find in front.ready(ipv6=False).find())


# On which shelf, and for how many octets.


@pytest.mark.parametrize(
    ("name", "rtype", "of_a_service"),
    [
        ("db", Type.A, True),
        ("db", Type.SRV, True),
        ("db", Type.AAAA, True),  # every name of an IPv4 cluster is asked for both
        ("db", Type.TXT, False),  # there is no end of types
        ("db", 65280, False),
        ("none", Type.A, False),  # nor of names
        ("none", Type.AAAA, False),
        ("alias", Type.A, False),  # hangs on more than one
    ],
)
@pytest.mark.parametrize("word", [RD, RD | TC], ids=["ready", "stored"])
def test_what_clients_can_ask_for_without_end_has_a_shelf_of_its_own(
    name: str, rtype: int, of_a_service: bool, word: int
) -> None:
    front = dispatcher(3, Repeats.AS_IT_IS)
    asked = question(name)[:-4] + rtype.to_bytes(2, "big") + b"\0\1"
    octets = message(asked, word)
    reply = front.answer_now(octets, "udp", ipv6=False)
    assert reply is not None
    fast = front._fast
    assert fast is not None
    held: HotAnswers[Any] = fast._stored if word & TC else fast._ready["udp", False].replies
    assert (len(held.of_services), len(held.others)) == ((1, 0) if of_a_service else (0, 1))
    (shelf,) = (shelf for shelf in (held.of_services, held.others) if len(shelf))
    (key,) = shelf.young
    assert shelf._used == ENTRY_OCTETS + len(key) + len(reply) - (len(octets) if word & TC else 0)


async def test_other_classes_are_the_chains_matter() -> None:
    """Whatever the site would say to them."""

    class Anything(StateAnswers):
        def repeatable(self, _: Question) -> tuple[Reply, ObjectKey | None] | None:
            return Reply(authoritative=True), None

    plugin = Plugin(name="anything", repeatable=Anything(scene(1).state(), (), (), RecordPolicy()))
    front = Dispatcher({b"\0": BuiltSite(ServerBlock((), (), "test", 1), (plugin,), no_next_plugin, ())})
    for rclass in (1, 3, 4, 255):
        octets = message(b"\1x\0\0\1" + rclass.to_bytes(2, "big"), RD)
        for protocol in ("udp", "tcp"):
            assert (front.answer_now(octets, protocol, ipv6=False) is not None) == (rclass == 1)
