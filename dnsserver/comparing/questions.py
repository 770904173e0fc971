"""What is worth asking of a cluster, from its state: names that exist, and names that resolvers ask for in vain."""

import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.question import Question
from dnsserver.zone.addresses import packed
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.listing import listing
from dnsserver.zone.objects import Feed, ObjectKey
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.reverse import IN_ADDR_ARPA, IP6_ARPA, is_reverse
from dnsserver.zone.view import ZoneView, is_exposed, zone_views

#: A label that no Service or namespace has, in all likelihood.
ABSENT = b"dnsserver-compare-absent"
#: A name outside that pods ask for through their search lists.
OUTSIDE = names.prefix((b"example", b"com"))
ADDRESSES = (Type.A, Type.AAAA)

#: Kind of question, in words, to questions.
Kinds = Mapping[str, Iterable[Question]]


def cluster_questions(state: ClusterState, zone: bytes) -> Kinds:
    """Of the cluster in *state*, served as *zone* (lower case). A large one has millions: they are made one by one."""
    policy = RecordPolicy()
    views = zone_views((zone, IN_ADDR_ARPA, IP6_ARPA), zone, state, policy)
    keys = [key for key in state.keys(Feed.SERVICES) if is_exposed(key.namespace, state, policy)]
    return {
        "records": chain.from_iterable(map(_recorded, views)),
        "search lists": (one for key in keys for one in _searched(key, zone)),
        "pods": _pods(state, keys, zone),
        "absent ports": (one for key in keys for one in _absent_ports(key, zone)),
        "absent names": (one for name in sorted(state.namespaces()) for one in _absent_names(name, zone)),
    }


def sampled(kinds: Kinds, most: int, seed: int) -> list[Question]:
    """*most* of them at random, 0: all; each once. Kinds with few questions are taken whole, the others share what is
    left. No more than *most* of each kind are held."""
    chance = random.Random(seed)
    held = [_distinct(_some(questions, most, chance)) for questions in kinds.values()]
    chosen: list[Question] = []
    left = most
    for place, questions in enumerate(sorted(held, key=len)):
        share = left // (len(held) - place) if most else len(questions)
        taken = questions if len(questions) <= share else chance.sample(questions, share)
        chosen += taken
        left -= len(taken)
    return _distinct(chosen)


def _some(questions: Iterable[Question], most: int, chance: random.Random) -> list[Question]:
    """*most* of them, each with the same chance (Vitter's algorithm R); 0: all."""
    if not most:
        return list(questions)
    found: list[Question] = []
    for number, one in enumerate(questions):
        if number < most:
            found.append(one)
        elif (place := chance.randrange(number + 1)) < most:
            found[place] = one
    return found


def _distinct(questions: Iterable[Question]) -> list[Question]:
    """Whatever their case, in the order of their first mention."""
    found: dict[tuple[bytes, int], Question] = {}
    for one in questions:
        found.setdefault((one.name.lower(), one.rtype), one)
    return list(found.values())


def _recorded(view: ZoneView) -> Iterator[Question]:
    for owner, listed in groupby(listing(view), key=lambda each: each.owner):
        yield from _typed(owner, {each.rtype for each in listed})


def _typed(owner: bytes, types: Iterable[int]) -> Iterator[Question]:
    """The types that are there; and addresses, for which clients ask everywhere but at reverse names."""
    wanted = set(types) if is_reverse(owner) else {*types, *ADDRESSES}
    return (Question(owner, rtype) for rtype in sorted(wanted))


def _below(zone: bytes, *labels: bytes) -> bytes:
    return names.prefix(labels) + zone


def _asked(owner: bytes, types: Iterable[int] = ADDRESSES) -> Iterator[Question]:
    """Nothing for what would be no name."""
    return (Question(owner, rtype) for rtype in types if len(owner) <= NAME_MAX)


def _searched(key: ObjectKey, zone: bytes) -> Iterator[Question]:
    """What a pod of the same namespace asks on the way to `SVC.NS`, `SVC.NS.svc.ZONE` and a name outside, with the
    search list of a kubelet (`NS.svc.ZONE svc.ZONE ZONE`)."""
    name, namespace = key.name.encode(), key.namespace.encode()
    short, whole = names.prefix((name, namespace)), _below(zone, name, namespace, b"svc")[:-1]
    searched = (_below(zone, namespace, b"svc"), _below(zone, b"svc"), zone)
    yield from _asked(short + searched[0])
    for suffix in searched:
        yield from _asked(whole + suffix)
        yield from _asked(OUTSIDE + suffix)


def _pods(state: ClusterState, keys: Iterable[ObjectKey], zone: bytes) -> Iterator[Question]:
    """The names of the pods behind Services, as `pods insecure` and `pods verified` serve them."""
    for key in keys:
        for each in state.slices_of(key):
            for endpoint in each.endpoints:
                if packed(endpoint.address) is None:
                    continue
                label = endpoint.address.replace(".", "-").replace(":", "-").encode()
                rtype = Type.AAAA if ":" in endpoint.address else Type.A
                yield Question(_below(zone, label, key.namespace.encode(), b"pod"), rtype)


def _absent_ports(key: ObjectKey, zone: bytes) -> Iterator[Question]:
    own = key.name.encode(), key.namespace.encode(), b"svc"
    yield from _asked(_below(zone, ABSENT, *own))
    yield from _asked(_below(zone, b"_" + ABSENT, b"_tcp", *own), (Type.SRV,))


def _absent_names(namespace: str, zone: bytes) -> Iterator[Question]:
    yield from _asked(_below(zone, ABSENT, namespace.encode(), b"svc"))
    yield from _asked(_below(zone, namespace.encode(), b"svc"))
    yield from _asked(_below(zone, ABSENT, ABSENT, b"svc"))
