"""The judge: what the fast path answers is octet for octet what the plain path answers, also while the cluster changes.

Random clusters behind random Corefiles, random queries in random spellings, mutated packets, and between them random
changes of the cluster. FUZZ_PACKETS=1000000 pytest tests/fast
"""

from collections.abc import Iterator
from random import Random

from dnsserver.wire import names
from dnsserver.zone.objects import Namespace, ObjectKey, Service, ServiceType
from dnsserver.zone.policy import PodMode
from dnsserver.zone.reverse import is_reverse
from tests.answers.scene import FEED_OF, Scene
from tests.fast.court import CREATED, Court, block, court
from tests.fuzz.mutation import PACKETS, mutated
from tests.fuzz.test_answering import likely_query
from tests.fuzz.worlds import NAMES, NAMESPACES, random_scene

#: Random clusters per run; the packets are shared out among them.
WORLDS = 48
#: Questions asked between two changes of the cluster.
BETWEEN_CHANGES = 25
#: Zones of server blocks that lie in each other, with the names of which cuts between them are asked.
CUTS = (
    "cluster.local.",
    "svc.cluster.local.",
    "default.svc.cluster.local.",
    "96.10.in-addr.arpa.",
    "in-addr.arpa.",
    ".",
)
DS = 43
#: Names for clients outside.
OUTSIDE_ZONES = ("example.org.",)
OUTSIDE = ("k8s_external example.org 10.in-addr.arpa",)
OUTSIDE_HEADLESS = ("k8s_external example.org {", "headless", "fallthrough default.example.org", "ttl 7", "}")
#: What may stand in a block besides `kubernetes`.
FRONTS = (
    (),
    ("cache",),
    ("cache 30 {", "success 1000 20 10", "denial 1000 3 1", "}", "loadbalance"),
    (
        "cache 30 {",
        "disable success cluster.local",
        "disable denial cluster.local",
        "}",
        "prometheus 127.0.0.1:0",
    ),
    ("prometheus 127.0.0.1:0",),
    ("loadbalance",),
    ("errors", "any", "loadbalance round_robin", "prometheus 127.0.0.1:0"),
    ("loadbalance round_robin {", "prefer 10.0.0.0/8", "}", "prometheus 127.0.0.1:0"),
)


def options(rng: Random, scene: Scene) -> Iterator[str]:
    policy = scene.policy
    yield f"ttl {policy.ttl}"
    yield f"pods {policy.pods.value if policy.pods is not PodMode.DISABLED else 'disabled'}"
    if policy.endpoint_pod_names:
        yield "endpoint_pod_names"
    if policy.ignore_empty_service:
        yield "ignore empty_service"
    if policy.namespaces:
        yield f"namespaces {' '.join(sorted(policy.namespaces))}"
    if policy.zonal:
        yield "zonal"
    if scene.fallthrough is not None and rng.random() < 0.5:
        yield f"fallthrough {' '.join(scene.fallthrough)}"


def random_corefile(rng: Random, scene: Scene) -> str:
    """One block for all zones of the scene; or blocks in each other, of which not all have a cluster."""
    if rng.random() < 0.4:
        shared = tuple(f"multicluster {zone}" for zone in scene.multicluster)
        inside = (f"kubernetes {' '.join(scene.zones)} {{", *shared, *options(rng, scene), "}")
        outside = rng.choice(((), (), OUTSIDE, OUTSIDE_HEADLESS))
        zones = (*scene.zones, *OUTSIDE_ZONES) if outside and "." not in scene.zones else scene.zones
        return block(" ".join(zones), *_front(rng), *inside, *outside)
    text = ""
    for zone in rng.sample(CUTS, rng.randrange(2, len(CUTS) + 1)):
        kubernetes = (
            f"kubernetes {zone}"
            if not is_reverse(names.from_text(zone))
            else f"kubernetes cluster.local {zone}"
        )
        inside = (f"{kubernetes} {{", *options(rng, scene), "}")
        text += block(zone, *_front(rng), *(inside if rng.random() < 0.9 else ("whoami",)))
    return text


def _front(rng: Random) -> tuple[str, ...]:
    return rng.choice(FRONTS)


def cut_query(rng: Random) -> bytes:
    """A question about the apex of a block, of which the parent's block has the DS record."""
    octets = bytearray(likely_query(rng))
    name = names.from_text(rng.choice(CUTS))
    rtype = DS if rng.random() < 0.7 else rng.choice((1, 2, 6, 16))
    end = octets.index(b"\0", 12) + 5
    octets[12:end] = name + rtype.to_bytes(2, "big") + b"\0\1"
    return bytes(octets)


def usual_query(rng: Random) -> bytes:
    """As a stub resolver asks: for addresses of a Service, or what its search list makes of another name."""
    zone = rng.choice(("cluster.local", "cluster.local.svc.cluster.local"))
    name = f"{rng.choice(NAMES)}.{rng.choice(NAMESPACES)}.svc.{zone}"
    question = names.from_text(name) + rng.choice((b"\0\1", b"\0\1", b"\0\x1c", b"\0\x21")) + b"\0\1"
    if rng.random() < 0.5:
        return rng.randbytes(2) + b"\1\0\0\1\0\0\0\0\0\0" + question
    size, do = rng.choice((512, 1232, 4096)).to_bytes(2, "big"), rng.choice((b"\0", b"\x80"))
    return (
        rng.randbytes(2) + b"\1\x20\0\1\0\0\0\0\0\1" + question + b"\0\0\x29" + size + b"\0\0" + do + bytes(3)
    )


def respelled(rng: Random, octets: bytes) -> bytes:
    """The name in another case (draft-vixie-dnsext-dns0x20)."""
    end = octets.find(0, 12)
    name = bytes(
        octet ^ 0x20 if chr(octet).isalpha() and rng.random() < 0.5 else octet for octet in octets[12:end]
    )
    return octets[:12] + name + octets[end:]


class Changes:
    """Adds, changes, takes away one object of a random cluster; in one state or in all, so that they come to differ."""

    def __init__(self, rng: Random, judge: Court) -> None:
        self.rng, self.judge, self.now = rng, judge, CREATED

    def next(self) -> None:
        rng = self.rng
        self.now += rng.randrange(2)  # the serial stays now and then
        item = rng.choice(random_scene(rng).objects or (Namespace("default"),))
        if rng.random() < 0.2:  # a link in a chain
            target = f"{rng.choice(NAMES)}.{rng.choice(NAMESPACES)}.svc.cluster.local"
            key = ObjectKey(rng.choice(NAMESPACES), rng.choice(NAMES))
            item = Service(key, ServiceType.EXTERNAL_NAME, external_name=target)
        feed = FEED_OF[type(item)]
        states = [state for state in self.judge.clusters.states if feed in state.feeds]
        for state in states if rng.random() < 0.7 else rng.sample(states, min(1, len(states))):
            draw = rng.random()
            if draw < 0.3:
                state.drop(feed, item.key, self.now)
            elif draw < 0.35:
                state.replace(feed, [item], self.now)
            else:
                state.put(feed, item, self.now)


async def test_the_fast_path_gives_the_plain_paths_octets() -> None:
    rng = Random(31)
    fast = aside = ready = 0
    for _ in range(WORLDS):
        scene = random_scene(rng)
        async with court(random_corefile(rng, scene), scene.objects) as judge:
            await one_world(rng, judge)
        fast, aside, ready = fast + judge.fast, aside + judge.aside, ready + judge.ready
        assert judge.dispatcher.panics == 0
    # No way may have been taken by hardly anybody: the test would prove nothing.
    assert ready > PACKETS // 15
    assert fast - ready > PACKETS // 10
    assert aside > PACKETS // 20


async def one_world(rng: Random, judge: Court) -> None:
    """Each query twice, as the first makes the reply ready; the counts are right at the end."""
    changes = Changes(rng, judge)
    asked: list[bytes] = []
    for number in range(PACKETS // WORLDS // 2):
        octets = rng.choices((likely_query, usual_query, cut_query), (5, 4, 1))[0](rng)
        if asked and rng.random() < 0.6:
            octets = rng.choice(asked)
        asked = [*asked[-200:], octets]
        if rng.random() < 0.2:
            octets = respelled(rng, octets)
        if rng.random() < 0.1:
            octets = mutated(rng, [octets])
        await judge.twice(octets, rng.choice(("udp", "udp", "tcp")), ipv6=rng.random() < 0.3)
        if number % (BETWEEN_CHANGES // 2) == 0:
            changes.next()
    judge.check_counts()


async def test_every_reply_is_judged_while_it_is_served() -> None:
    """The switch for live servers comes to the same verdict, also where addresses are shuffled."""
    rng = Random(32)
    fast = 0
    for _ in range(6):
        scene = random_scene(rng)
        async with court(random_corefile(rng, scene), scene.objects, judged=1.0) as judge:
            await one_world(rng, judge)
        assert judge.dispatcher.misjudged == 0
        assert judge.ready == 0
        fast += judge.fast
    assert fast > PACKETS // 40
