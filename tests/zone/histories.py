"""Random changes of a cluster, in small worlds where everything collides."""

from collections.abc import Callable, Iterator
from random import Random

from dnsserver.zone.addresses import packed
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import (
    ClusterObject,
    Endpoint,
    EndpointSlice,
    Feed,
    Namespace,
    ObjectKey,
    Pod,
    Port,
    Service,
    ServiceImport,
    ServiceType,
)
from dnsserver.zone.tables import AddressKind

ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.1.1.1", "fd00::1", "FD00:0::1", "None", "no address"]
NAMESPACES = ["x", "y"]
NAMES = ["a", "b", "c"]
#: Names that no API server lets in: too long, with NUL, not ASCII. The order among them is nobody's business.
ODD_NAMES = ["l" * 400, "l" * 399 + "m", "\0", "ö"]

FEEDS = {
    Service: Feed.SERVICES,
    EndpointSlice: Feed.ENDPOINT_SLICES,
    Pod: Feed.PODS,
    Namespace: Feed.NAMESPACES,
    ServiceImport: Feed.SERVICE_IMPORTS,
}

Change = Callable[[ClusterState], None]


def feed_of(item: ClusterObject) -> Feed:
    return FEEDS[type(item)]


def random_object(rng: Random, names: list[str] = NAMES) -> ClusterObject:
    own = ObjectKey(rng.choice(NAMESPACES), rng.choice(names))
    some = rng.sample(ADDRESSES, rng.randrange(4))
    ports = tuple(Port(rng.choice(("", "http")), "tcp", number) for number in range(rng.randrange(-1, 2)))
    match rng.randrange(5):
        case 0:
            outside = tuple(rng.sample(ADDRESSES, rng.randrange(3)))
            hosts = rng.choice(((), ("lb.example.",)))
            kind, alias = rng.choice(list(ServiceType)), rng.choice(("", "a.b."))
            return Service(own, kind, tuple(some), ports, alias, outside, hosts)
        case 1:
            endpoints = (
                Endpoint(at, rng.choice(("", "h")), rng.choice(("", "p")), rng.choice(("", "z")))
                for at in some
            )
            imported = rng.choice(("", "", *names))
            cluster = rng.choice(("", "east")) if imported else ""
            return EndpointSlice(own, rng.choice(("", *names)), tuple(endpoints), ports, imported, cluster)
        case 2:
            return Pod(own, rng.choice(ADDRESSES), rng.random() < 0.3)
        case 3:
            return ServiceImport(own, rng.random() < 0.5, tuple(some), ports)
        case _:
            return Namespace(own.name)


def random_changes(rng: Random, count: int, names: list[str] = NAMES) -> Iterator[Change]:
    """Puts, drops of what is there and of what is not, and whole lists. Seconds pass."""
    for now in range(count):
        item = random_object(rng, names)
        match rng.randrange(10):
            case 0:
                others = (random_object(rng, names) for _ in range(8))
                yield _replace(
                    feed_of(item), [item, *(o for o in others if feed_of(o) is feed_of(item))], now
                )
            case 1 | 2 | 3:
                yield _drop(item, now)
            case _:
                yield _put(item, now)


def picture(state: ClusterState, names: list[str] = NAMES) -> dict[str, object]:
    """All that readers can ask, in a form that can be compared and sent to another process."""
    keys = [ObjectKey(namespace, name) for namespace in NAMESPACES for name in names]
    seen: dict[str, object] = {
        "serial": state.serial,
        "counts": [state.count(feed) for feed in Feed],
        "services": {key: state.service(key) for key in keys},
        "all services": {item.key: item for item in state.services()},
        "imports": {key: state.service_import(key) for key in keys},
        "imported": {key: _unless_odd(state.slices_of_import(key), names) for key in keys},
        "slices": {key: _unless_odd(state.slices_of(key), names) for key in keys},
        "namespaces": sorted(state.namespaces()),
        "has namespace": [state.has_namespace(name) for name in names],
    }
    for text in ADDRESSES[:4]:
        address = packed(text)
        assert address is not None
        seen[f"services at {text}"] = _unless_odd(state.services_at(address), names)
        seen[f"slices at {text}"] = _unless_odd(list(state.slices_at(address)), names)
        seen[f"outside at {text}"] = sorted(state.external_owners(address))
        seen[f"imports at {text}"] = sorted(state.import_owners(address))
        seen[f"pods at {text}"] = sorted(pod.key for pod in state.pods_at(text))
        for octets in range(len(address) + 1):
            low = address[:octets].ljust(len(address), b"\0")
            high = address[:octets].ljust(len(address), b"\xff")
            for shown in ({"x"}, {"y"}, set[str]()):
                found = [
                    state.any_address_within((kind,), low, high, shown.__contains__) for kind in AddressKind
                ]
                seen[f"any within {low.hex()} {high.hex()} {sorted(shown)}"] = found
    return seen


def _unless_odd(items: list[Service] | list[EndpointSlice], names: list[str]) -> list[ClusterObject]:
    """In the order in which they come, which is a promise for names that an API server lets in."""
    return list(items) if names is NAMES else sorted(items, key=lambda item: item.key)


def _put(item: ClusterObject, now: float) -> Change:
    return lambda state: state.put(feed_of(item), item, now)


def _drop(item: ClusterObject, now: float) -> Change:
    return lambda state: state.drop(feed_of(item), item.key, now)


def _replace(feed: Feed, items: list[ClusterObject], now: float) -> Change:
    return lambda state: state.replace(feed, items, now)
