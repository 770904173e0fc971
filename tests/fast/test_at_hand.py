"""Answers at hand behind a dispatcher, where random clusters seldom lead: balanced aliases, 64 KiB, and failure."""

import logging

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.config import ServerBlock
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.plugins.plugin import Plugin, Repeats, no_next_plugin
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.question import Question
from dnsserver.zone.objects import ClusterObject, ObjectKey
from tests.answering.packets import RD, TC, message, opt
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


def dispatcher(count: int, repeats: Repeats, *, at_hand: bool = True) -> Dispatcher:
    answers, wrap = scene(count).parts(scene(count).state())
    front = Plugin(name="front", wrap=lambda following: following, repeats=repeats)
    plugins = (front, Plugin(name="kubernetes", wrap=wrap, repeatable=answers if at_hand else None))
    return Dispatcher({b"\0": BuiltSite(ServerBlock((), (), "test", 1), plugins, wrap(no_next_plugin), ())})


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
    assert not front.has_answers_at_hand
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
