"""The judge of live replies (`judged`): what differs from the plain path is not sent, logged and counted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import encode
from dnsserver.config import ServerBlock
from dnsserver.plugins.plugin import Plugin, Repeats, no_next_plugin
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.fastpath import CUT_VARIANTS, VARIANTS, FastPath, _Held
from dnsserver.runtime.sites import BuiltSite
from dnsserver.store.hot import HotAnswers
from dnsserver.wire.message import Message
from dnsserver.zone.objects import ClusterObject
from tests.answering.packets import RD, TC, message
from tests.answers.objects import headless, namespaces, slice_of
from tests.answers.scene import Scene, wire_name
from tests.fast.test_at_hand import TCP, UDP, dispatcher, question


def misjudging(
    caplog: pytest.LogCaptureFixture, judged: float, octets: bytes, protocol: str
) -> tuple[int, int]:
    """Replies given of 200, after a wrong one was put on the shelf; and how many were misjudged. Those that are not
    given are logged."""
    front = dispatcher(1, Repeats.AS_IT_IS, judged=judged)
    right = front.answer_now(octets, protocol, ipv6=False)
    assert right is not None
    fast = front._fast
    assert fast is not None
    answers: list[HotAnswers[Any]] = [fast._stored, *(ready.replies for ready in fast._ready.values())]
    for shelf in (shelf for each in answers for shelf in (each.of_services, each.others)):
        for key, held in list(shelf.young.items()):
            shelf.young[key] = wrong(held)
    given = [front.answer_now(octets, protocol, ipv6=False) for _ in range(200)]
    assert right not in given
    said = [record.getMessage() for record in caplog.records]
    times = [int(line.split("(time ")[1].split(")")[0]) for line in said if "not the plain path's" in line]
    assert times == [
        1 << power for power in range(front.misjudged.bit_length())
    ]  # a client must not fill the log
    assert not caplog.records or octets.hex() in caplog.records[0].message
    return sum(reply is not None for reply in given), front.misjudged


def wrong(held: object) -> object:
    """Another address."""
    if isinstance(held, tuple):
        reply, *rest = held
        return (reply[:-1] + b"\xee", *rest)
    assert isinstance(held, _Held)
    assert held.answer is not None
    return replace(held, answer=replace(held.answer, body=held.answer.body[:-1] + b"\xee"))


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("word", [RD, RD | TC], ids=["ready", "stored"])
@pytest.mark.parametrize(("judged", "given"), [(0.0, 200), (1.0, 0)])
def test_a_wrong_reply_is_not_sent_where_all_are_judged(
    judged: float, given: int, word: int, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = misjudging(caplog, judged, message(question("db"), word), protocol)
    assert found == (given, 200 - given)


@pytest.mark.parametrize("word", [RD, RD | TC], ids=["ready", "stored"])
def test_a_share_is_judged(word: int, caplog: pytest.LogCaptureFixture) -> None:
    given, misjudged = misjudging(caplog, 0.3, message(question("db"), word), "udp")
    assert given + misjudged == 200
    assert 20 < misjudged < 120


@pytest.mark.parametrize("judged", [0.0, 0.5])
def test_where_replies_are_judged_sockets_have_none_ready(judged: float) -> None:
    front = dispatcher(1, Repeats.AS_IT_IS, judged=judged)
    octets = message(question("db"), RD)
    assert front.answer_now(octets, "udp", ipv6=True) is not None
    assert (front.ready(ipv6=True).find()[0](octets[2:]) is None) == (judged > 0)


async def test_a_wrong_reply_is_replaced_by_the_chains(caplog: pytest.LogCaptureFixture) -> None:
    front = dispatcher(1, Repeats.AS_IT_IS, judged=1.0)
    plain = dispatcher(1, Repeats.AS_IT_IS, at_hand=False)
    octets = message(question("db"), RD)
    assert misjudging(caplog, 1.0, octets, "tcp") == (0, 200)
    assert await front.respond(octets, TCP) == await plain.respond(octets, TCP)


def test_what_is_not_judged_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(FastPath, "_just", never)
    front = dispatcher(1, Repeats.AS_IT_IS)
    for word in (RD, RD | TC):
        for _ in range(3):
            assert front.answer_now(message(question("db"), word), "udp", ipv6=False) is not None


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (lambda octets: octets, True),
        (lambda octets: octets[:-32] + octets[-16:] + octets[-32:-16], True),
        (lambda octets: octets[:-16] + octets[-32:-16], False),  # one twice, one missing
        (lambda octets: octets[:-1] + b"\xee", False),
        (lambda octets: octets[:-16], False),
        (lambda octets: octets + b"\0", False),
        (lambda octets: octets[:2] + b"\x86" + octets[3:], False),
        (lambda octets: octets[:3] + b"\x10" + octets[4:], False),
        (lambda octets: octets[:14] + octets[14:16][::-1] + octets[16:], False),
        (lambda octets: octets[:-10] + b"\0\0\0\x09" + octets[-6:], False),  # a TTL
        (lambda octets: octets[:-16] + bytes(16), False),
    ],
    ids=range(11),
)
def test_the_judge_allows_another_order_and_nothing_else(one: Callable[[bytes], bytes], same: bool) -> None:
    front = dispatcher(3, Repeats.SHUFFLED, judged=1.0)
    octets = message(question("db"), RD)
    reply = front.answer_now(octets, "udp", ipv6=False)
    assert reply is not None
    assert front._fast is not None
    assert front._fast._just(one(reply), octets, "udp") == same
    assert front.misjudged == (not same)


@pytest.mark.parametrize(
    ("order", "same"),
    [((0, 1, 4, 2, 3), True), ((1, 0, 2, 3, 4), False), ((0, 2, 1, 3, 4), False), ((0, 1, 2, 3, 3), False)],
)
async def test_aliases_stay_in_their_order(order: tuple[int, ...], same: bool) -> None:
    """Two CNAMEs, then three addresses."""
    front = dispatcher(3, Repeats.SHUFFLED, judged=1.0)
    octets = message(question("twice"), RD)
    query = read_query(octets, UDP)
    assert isinstance(query, Query)
    reply = await front.resolve(query)
    assert reply is not None
    other = encode(replace(reply, answer=tuple(reply.answer[place] for place in order)), query)
    assert len(Message.decode(other).answer) == 5
    assert front._fast is not None
    assert front._fast._just(other, octets, "udp") == same


@pytest.mark.parametrize("many", [3, 60])
def test_orders_of_which_not_all_fits_are_just(many: int) -> None:
    """SRV with addresses of both families in additional: how many fit hangs on which come first."""
    objects: tuple[ClusterObject, ...] = (
        *namespaces("default"),
        headless("default/db", "http:80"),
        slice_of(
            "default/db", "four", " ".join(f"10.0.0.{number}" for number in range(1, many + 1)), "http:80"
        ),
        slice_of(
            "default/db", "six", " ".join(f"fd00::{number}" for number in range(1, many + 1)), "http:80"
        ),
    )
    made = Scene(name="both families", objects=objects)
    answers, wrap = made.parts(made.state())
    balanced = Plugin(name="front", wrap=lambda following: following, repeats=Repeats.SHUFFLED)
    plugins = (balanced, Plugin(name="kubernetes", wrap=wrap, repeatable=answers))
    site = BuiltSite(ServerBlock((), (), "test", 1), plugins, wrap(no_next_plugin), ())
    front = Dispatcher({b"\0": site}, judged=1.0)
    octets = message(wire_name("db.default.svc.cluster.local.") + b"\0\x21\0\1", RD)
    for protocol in ("udp", "tcp"):
        seen = {front.answer_now(octets, protocol, ipv6=False) for _ in range(300)}
        assert None not in seen
        cut = any(reply is not None and reply[2] & 2 for reply in seen)
        assert len(seen) == 1 if cut else 1 < len(seen) <= VARIANTS  # SRV records stay in their order
        assert cut == (many == 60 and protocol == "udp")
    assert front.misjudged == 0


def test_of_more_addresses_than_any_message_holds_many_are_told() -> None:
    front = dispatcher(5000, Repeats.SHUFFLED, judged=0.02)
    octets = message(question("db"), RD)
    seen: set[bytes] = set()
    for _ in range(300):
        reply = front.answer_now(octets, "udp", ipv6=False)
        assert reply is not None
        assert reply[2] & 2
        seen |= {record.rdata.head for record in Message.decode(reply).answer}
    assert len(seen) > 0.25 * 28 * CUT_VARIANTS
    assert front.misjudged == 0
