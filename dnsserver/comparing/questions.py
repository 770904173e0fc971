"""What is worth asking of a cluster, from its state: names that exist, and names that resolvers ask for in vain."""

import random
from collections.abc import Iterable, Iterator, Mapping

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.question import Question
from dnsserver.zone.addresses import packed
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed, ObjectKey
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.reverse import IN_ADDR_ARPA, IP6_ARPA, is_reverse
from dnsserver.zone.view import is_exposed, zone_views

#: A label that no Service or namespace has, in all likelihood.
ABSENT = b"dnsserver-compare-absent"
#: A name outside that pods ask for through their search lists.
OUTSIDE = names.prefix((b"example", b"com"))
ADDRESSES = (Type.A, Type.AAAA)

#: Kind of question, in words, to questions.
Kinds = Mapping[str, list[Question]]


def cluster_questions(state: ClusterState, zone: bytes) -> Kinds:
    """Of the cluster in *state*, served as *zone* (lower case)."""
    policy = RecordPolicy()
    views = zone_views((zone, IN_ADDR_ARPA, IP6_ARPA), zone, state, policy)
    owners: dict[bytes, set[int]] = {}
    for view in views:
        for record in view.records():
            owners.setdefault(record.owner, set()).add(record.rtype)
    keys = [key for key in state.keys(Feed.SERVICES) if is_exposed(key.namespace, state, policy)]
    namespaces = sorted(state.namespaces())
    return {
        "apex": [Question(zone, Type.SOA)],
        "records": [one for owner, types in owners.items() for one in _typed(owner, types)],
        "search lists": [one for key in keys for one in _searched(key, zone)],
        "pods": list(_pods(state, keys, zone)),
        "absent": [
            *(one for key in keys for one in _absent_ports(key, zone)),
            *(one for namespace in namespaces for one in _absent_names(namespace, zone)),
        ],
    }


def sampled(kinds: Kinds, most: int, seed: int) -> list[Question]:
    """*most* of them at random, 0: all; each once. Kinds with few questions are taken whole, the others share what is
    left."""
    chance = random.Random(seed)
    chosen: list[Question] = []
    left = most
    for place, questions in enumerate(sorted(map(_distinct, kinds.values()), key=len)):
        share = left // (len(kinds) - place) if most else len(questions)
        taken = questions if len(questions) <= share else chance.sample(questions, share)
        chosen += taken
        left -= len(taken)
    return _distinct(chosen)


def _distinct(questions: Iterable[Question]) -> list[Question]:
    """Whatever their case, in the order of their first mention."""
    found: dict[tuple[bytes, int], Question] = {}
    for one in questions:
        found.setdefault((one.name.lower(), one.rtype), one)
    return list(found.values())


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
