"""Every name that is listed answers so, and every name that answers is listed."""

from collections.abc import Iterable, Iterator
from random import Random

import dns.message
import dns.rcode
import pytest

from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type, type_name
from dnsserver.zone.listing import Listed
from dnsserver.zone.objects import ClusterObject
from dnsserver.zone.policy import PodMode
from tests.answers.case import arranged, message_shown, record_text, reply_shown
from tests.answers.scene import Scene, Table, query_value, serving
from tests.answers.tables import TABLES
from tests.fuzz.worlds import CLUSTERS, HOSTNAMES, NAMES, NAMESPACES, PORTS, TOPOLOGY, random_scene

SEEDS = range(60)
#: Worlds that are asked over sockets.
SERVED_SEEDS = range(3)
TYPES = (Type.A, Type.AAAA, Type.SRV, Type.CNAME, Type.PTR, Type.TXT, Type.NS, Type.SOA)


def listed_of(scene: Scene) -> dict[tuple[str, str], Listed]:
    """By owner name, in lower case, and type. None comes twice."""
    answers, _ = scene.parts(scene.state())
    found: dict[tuple[str, str], Listed] = {}
    for each in answers.listing():
        key = names.to_text(each.owner).lower(), type_name(each.rtype)
        assert key not in found, key
        found[key] = each
    return found


def shown(listed: Listed) -> tuple[str, ...]:
    return arranged(map(record_text, listed.records))


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_listed_name_answers_so(seed: int) -> None:
    scene = random_scene(Random(seed))
    handler = scene.handler()
    for (name, rtype), listed in listed_of(scene).items():
        reply = await handler(query_value(names.to_text(listed.owner), rtype, "IN"))
        assert reply is not None
        assert reply.rcode == Rcode.NOERROR, (name, rtype)
        assert reply_shown(reply).answer == shown(listed), (name, rtype)


@pytest.mark.parametrize("seed", SERVED_SEEDS)
async def test_every_listed_name_answers_so_over_tcp(seed: int) -> None:
    scene = random_scene(Random(1000 + seed))
    async with serving(scene) as served:
        for (name, rtype), listed in listed_of(scene).items():
            octets = await served.over_tcp(dns.message.make_query(name, rtype).to_wire())
            reply = message_shown(dns.message.from_wire(octets, one_rr_per_rrset=True))
            assert tuple(map(str.lower, reply.answer)) == tuple(map(str.lower, shown(listed))), (name, rtype)


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_name_that_answers_is_listed(seed: int) -> None:
    """Names that are made up of everything that the worlds are made of."""
    rng = Random(seed)
    scene = random_scene(rng)
    listed = listed_of(scene)
    handler = scene.handler()
    candidates = sorted(set(made_up(scene)))
    for name in rng.sample(candidates, min(len(candidates), 400)):
        for rtype in TYPES:
            reply = await handler(query_value(name, rtype.name, "IN"))
            if reply is None or not reply.answer:
                continue
            kind = "CNAME" if reply.answer[0].rtype == Type.CNAME else rtype.name
            assert (name.lower(), kind) in listed, (name, kind)


def made_up(scene: Scene) -> Iterator[str]:
    zones = [zone for zone in scene.zones if "arpa" not in zone]
    ports = [f"_{port.name}._{port.protocol}" for port in PORTS if port.name]
    addresses = sorted(
        {address for each in scene.state().content().objects.values() for address in _texts(each)}
    )
    dashed = [address.replace(".", "-").replace(":", "-") for address in addresses]
    lefts = [*ports, *HOSTNAMES, *dashed, "pod-a", "pod.dotted", "_tcp"]
    lefts += [f"{left}.{cluster}" for left in (*HOSTNAMES, "pod-a", *dashed[:20]) for cluster in CLUSTERS]
    lefts += [f"{zone}.{how}._zone" for zone in TOPOLOGY for how in ("pin", "prefer") if zone]
    lefts = [left for left in lefts if left and all(0 < len(label) < 64 for label in left.split("."))]
    for zone in zones:
        top = "" if zone == "." else zone
        yield from (f"{fixed}{top}" or "." for fixed in ("", "ns.dns.", "dns-version.", "dns.", "svc."))
        for namespace in NAMESPACES:
            if scene.policy.pods is PodMode.VERIFIED:
                yield from (f"{label}.{namespace}.pod.{top}" for label in dashed)
            for service in NAMES:
                own = f"{service}.{namespace}.svc.{top}"
                yield own
                yield from (f"{left}.{own}" for left in lefts)
    yield from (f"{'.'.join(reversed(each.split('.')))}.in-addr.arpa." for each in addresses if "." in each)


def _texts(objects: Iterable[ClusterObject]) -> Iterator[str]:
    for each in objects:
        yield from getattr(each, "cluster_ips", ())
        yield from getattr(each, "ips", ())
        yield from (endpoint.address for endpoint in getattr(each, "endpoints", ()))
        yield from filter(None, (getattr(each, "ip", ""),))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.section}-{table.scene.name}")
def test_every_positive_answer_of_the_tables_is_listed(table: Table) -> None:
    scene, listed = table.scene, listed_of(table.scene)
    for case in table.cases:
        if not case.answer or not case.aa or _only_clients_know(case.name, scene):
            continue  # what is not authoritative is another plugin's
        name = with_underscores(case.name.lower())
        assert {(name, "CNAME"), (name, case.rtype)} & listed.keys(), case.ask


def _only_clients_know(name: str, scene: Scene) -> bool:
    """Names that answer though nobody can list them."""
    made_up_pod = scene.policy.pods is PodMode.INSECURE and ".pod." in name.lower()
    return made_up_pod or "nowhere.prefer._zone" in name


def with_underscores(name: str) -> str:
    """Port names answer without their underscores, and are listed with them."""
    first, _, rest = name.partition(".")
    second, _, above = rest.partition(".")
    bare = second.removeprefix("_") in ("tcp", "udp", "sctp")
    return f"_{first.removeprefix('_')}._{second.removeprefix('_')}.{above}" if bare else name
