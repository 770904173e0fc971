"""The judge: what the fast path answers is octet for octet what the plain path answers, also while the cluster changes.

Random clusters, random queries in random spellings, mutated packets, and between them random changes of the cluster.
FUZZ_PACKETS=1000000 pytest tests/fast
"""

from pathlib import Path
from random import Random

import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import encode
from dnsserver.config import ServerBlock
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.plugins.plugin import Plugin, Repeats, no_next_plugin
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from dnsserver.wire.arrival import Arrival
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, EndpointSlice, Feed, Namespace, Pod, Service
from tests.answers.scene import Scene
from tests.fuzz.mutation import PACKETS, mutated
from tests.fuzz.test_answering import likely_query
from tests.fuzz.worlds import random_scene

#: Random clusters per run; the packets are shared out among them.
WORLDS = 40
#: Questions asked between two changes of the cluster.
BETWEEN_CHANGES = 25
#: Seconds. The time goes on by one per change, so that the serial does.
CREATED = 1_000
UDP = Arrival("udp", "192.0.2.1", 4711, "192.0.2.2", 53)
TCP = Arrival("tcp", "192.0.2.1", 4711, "192.0.2.2", 53)
FEEDS = {
    Service: Feed.SERVICES,
    EndpointSlice: Feed.ENDPOINT_SLICES,
    Namespace: Feed.NAMESPACES,
    Pod: Feed.PODS,
}


class Court:
    """One cluster behind a dispatcher, asked by both ways."""

    def __init__(self, scene: Scene, rng: Random) -> None:
        self.rng = rng
        self.now = CREATED
        self.state = scene.state()
        self.answers, self.dispatcher = _dispatcher(scene, self.state)
        self.fast = self.aside = 0

    async def ask(self, octets: bytes, arrival: Arrival) -> None:
        at_hand = self.dispatcher.answer_now(octets, arrival.protocol, ipv6=False)
        if at_hand is None:
            self.aside += 1
            return
        self.fast += 1
        query = read_query(octets, arrival)
        assert isinstance(query, Query), octets
        reply = await self.dispatcher.resolve(query)
        assert reply is not None
        assert at_hand == encode(reply, query), octets

    def change(self) -> None:
        """Add, change, take away one object of a random cluster."""
        self.now += 1
        item = self.rng.choice(random_scene(self.rng).objects or (Namespace("default"),))
        feed = FEEDS[type(item)]
        if self.rng.random() < 0.3:
            self.state.drop(feed, item.key, self.now)
        elif self.rng.random() < 0.05:
            self.state.replace(feed, [item], self.now)
        else:
            self.state.put(feed, item, self.now)


def _dispatcher(scene: Scene, state: ClusterState) -> tuple[StateAnswers, Dispatcher]:
    answers, wrap = scene.parts(state)
    plugin = Plugin(name="kubernetes", wrap=wrap, repeatable=answers)
    block = ServerBlock((), (), "Corefile", 1)
    site = BuiltSite(block, (plugin,), wrap(no_next_plugin), ())
    return answers, Dispatcher({b"\0": site})


async def test_the_fast_path_gives_the_plain_paths_octets() -> None:
    rng = Random(31)
    fast = aside = 0
    for _ in range(WORLDS):
        court = Court(random_scene(rng), rng)
        asked: list[bytes] = []
        for number in range(PACKETS // WORLDS):
            octets = likely_query(rng) if not asked or rng.random() < 0.4 else rng.choice(asked)
            asked = [*asked[-200:], octets]
            if rng.random() < 0.2:
                octets = _respelled(rng, octets)
            if rng.random() < 0.2:
                octets = mutated(rng, [octets])
            await court.ask(octets, rng.choice((UDP, UDP, TCP)))
            if number % BETWEEN_CHANGES == 0:
                court.change()
        fast, aside = fast + court.fast, aside + court.aside
        assert court.dispatcher.panics == 0
    # Neither way may have been taken by hardly anybody: the test would prove nothing.
    assert fast > PACKETS // 10
    assert aside > PACKETS // 20


def _respelled(rng: Random, octets: bytes) -> bytes:
    """The name in another case (draft-vixie-dnsext-dns0x20)."""
    end = octets.find(0, 12)
    name = bytes(
        octet ^ 0x20 if chr(octet).isalpha() and rng.random() < 0.5 else octet for octet in octets[12:end]
    )
    return octets[:12] + name + octets[end:]


@pytest.mark.parametrize(("repeats", "shuffled"), [(Repeats.SHUFFLED, True), (Repeats.AS_IT_IS, False)])
async def test_loadbalance_shuffles_stored_addresses(repeats: Repeats, shuffled: bool) -> None:
    site, query = _headless_site(repeats)
    dispatcher = Dispatcher({b"\0": site})
    seen = {dispatcher.answer_now(query, "udp", ipv6=False) for _ in range(200)}
    assert None not in seen
    assert (len(seen) > 3) == shuffled
    bodies = {tuple(sorted(_records(octets, query))) for octets in seen if octets is not None}
    assert len(bodies) == 1
    assert len(next(iter(bodies))) == 3


async def test_a_plugin_that_wants_every_query_gets_it() -> None:
    site, query = _headless_site(Repeats.NEVER)
    assert Dispatcher({b"\0": site}).answer_now(query, "udp", ipv6=False) is None


def _records(octets: bytes, query: bytes) -> list[bytes]:
    body = octets[len(query) :]
    return [body[place : place + 16] for place in range(0, len(body), 16)]


def _headless_site(repeats: Repeats) -> tuple[BuiltSite, bytes]:
    from tests.answers.objects import headless, namespaces, slice_of

    objects: tuple[ClusterObject, ...] = (
        *namespaces("default"),
        headless("default/db", "http:80"),
        slice_of("default/db", "x", "10.0.0.1 10.0.0.2 10.0.0.3", "http:80"),
    )
    scene = Scene(name="shuffled", objects=objects)
    answers, wrap = scene.parts(scene.state())
    front = Plugin(name="front", wrap=lambda following: following, repeats=repeats)
    plugins = (front, Plugin(name="kubernetes", wrap=wrap, repeatable=answers))
    block = ServerBlock((), (), str(Path("Corefile")), 1)
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\2db\7default\3svc\7cluster\5local\0\0\1\0\1"
    return BuiltSite(block, plugins, wrap(no_next_plugin), ()), query
