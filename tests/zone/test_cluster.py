"""The state of the cluster: changes, indexes, serial, listeners."""

from dataclasses import replace
from random import Random

import pytest

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
from tests.answers.objects import (
    external,
    headless,
    key,
    namespaces,
    pod,
    service,
    slice_of,
    unlabelled_slice,
)
from tests.zone.histories import ADDRESSES, NAMES, feed_of, random_object

CREATED = 1_000.9
NGINX, DB = key("default/nginx"), key("default/db")


def state() -> ClusterState:
    return ClusterState(Feed, CREATED)


def synced(held: ClusterState) -> bool:
    return held.synced


class Told:
    """The keys that a listener was told, one set per call."""

    def __init__(self, watched: ClusterState) -> None:
        self.calls: list[frozenset[ObjectKey] | None] = []
        watched.subscribe(self.calls.append)

    def take(self) -> set[ObjectKey]:
        calls, self.calls[:] = list(self.calls), []
        assert None not in calls
        return {found for call in calls for found in call or ()}


def test_a_feed_is_synced_from_its_first_list_on() -> None:
    fresh = ClusterState({Feed.SERVICES, Feed.NAMESPACES}, CREATED)
    assert not synced(fresh)
    assert fresh.waiting_for == ["namespaces", "services"]
    fresh.put(Feed.SERVICES, service("default/nginx"), 1001)
    assert fresh.waiting_for == ["namespaces", "services"]
    fresh.replace(Feed.SERVICES, [], 1001)
    assert fresh.waiting_for == ["namespaces"]
    fresh.replace(Feed.NAMESPACES, [], 1001)
    assert synced(fresh)
    fresh.mark_stale(Feed.SERVICES, "the watch is lost")
    assert synced(fresh)
    assert fresh.stale == {Feed.SERVICES: "the watch is lost"}
    fresh.mark_fresh(Feed.SERVICES)
    assert fresh.stale == {}
    fresh.mark_stale(Feed.SERVICES, "the watch is lost")
    fresh.replace(Feed.SERVICES, [], 1002)
    assert fresh.stale == {}


def test_a_feed_that_is_not_watched_is_not_waited_for() -> None:
    fresh = ClusterState({Feed.SERVICES}, CREATED)
    fresh.replace(Feed.SERVICES, [], 1001)
    assert synced(fresh)
    assert fresh.waiting_for == []


# Serial (section 10): Unix seconds of the last relevant change, from the creation on, never back.

PORTED = service("default/nginx", "10.96.0.10", "http:80")
SLICE = slice_of("default/nginx", "x", "10.244.1.5=a", "http:80")

MOVES: tuple[tuple[str, ClusterObject, ClusterObject], ...] = (
    ("externalName", external("default/e", "a.example.com"), external("default/e", "b.example.com")),
    ("port name", PORTED, replace(PORTED, ports=(Port("web", "tcp", 80),))),
    ("port number", PORTED, replace(PORTED, ports=(Port("http", "tcp", 81),))),
    ("port protocol", PORTED, replace(PORTED, ports=(Port("http", "udp", 80),))),
    ("clusterIP", PORTED, replace(PORTED, cluster_ips=("10.96.0.11",))),
    ("type", PORTED, replace(PORTED, type=ServiceType.EXTERNAL_NAME, external_name="a.example.com")),
    ("ready address", SLICE, replace(SLICE, endpoints=(Endpoint("10.244.1.6", "a"),))),
    ("one address more", SLICE, replace(SLICE, endpoints=(*SLICE.endpoints, Endpoint("10.244.1.6")))),
    ("hostname", SLICE, replace(SLICE, endpoints=(Endpoint("10.244.1.5", "b"),))),
    ("slice port", SLICE, replace(SLICE, ports=())),
    ("service label", SLICE, replace(SLICE, service="other")),
    ("podIP", pod("default/a", "10.4.1.1"), pod("default/a", "10.4.1.2")),
)


def test_serial_starts_at_the_creation() -> None:
    assert state().serial == 1000


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in MOVES], ids=[row[0] for row in MOVES])
def test_serial_moves_with_what_shows(old: ClusterObject, new: ClusterObject) -> None:
    held, feed = state(), feed_of(old)
    held.put(feed, old, 1010.7)
    assert held.serial == 1010
    held.put(feed, new, 1020.2)
    assert held.serial == 1020
    held.put(feed, new, 1030)
    assert held.serial == 1020, "an update that changes nothing"
    held.drop(feed, new.key, 1040)
    assert held.serial == 1040
    held.drop(feed, new.key, 1050)
    assert held.serial == 1040, "a delete that is told twice"


def test_serial_does_not_move_with_namespaces() -> None:
    held = state()
    held.replace(Feed.NAMESPACES, namespaces("default"), 1010)
    held.put(Feed.NAMESPACES, Namespace("other"), 1020)
    held.drop(Feed.NAMESPACES, ObjectKey("", "default"), 1030)
    assert held.serial == 1000


def test_serial_does_not_move_with_a_pod_that_becomes_terminating() -> None:
    """Its record stays, so nothing has changed for a client (sections 7 and 10)."""
    held = state()
    held.put(Feed.PODS, pod("default/a", "10.4.1.1"), 1010)
    held.put(Feed.PODS, pod("default/a", "10.4.1.1", terminating=True), 1020)
    assert held.serial == 1010
    held.put(Feed.PODS, pod("default/b", "10.4.1.2", terminating=True), 1030)
    assert held.serial == 1010
    held.drop(Feed.PODS, key("default/a"), 1040)
    assert held.serial == 1040


def test_serial_never_goes_back() -> None:
    held = state()
    held.put(Feed.SERVICES, service("default/a"), 2000)
    held.put(Feed.SERVICES, service("default/b"), 1500)
    assert held.serial == 2000
    held.replace(Feed.SERVICES, [], 1600)
    assert held.serial == 2000


def test_serial_and_lists() -> None:
    held = state()
    held.replace(Feed.SERVICES, [PORTED], 1010)
    assert held.serial == 1010
    held.replace(Feed.SERVICES, [PORTED], 1020)
    assert held.serial == 1010, "a list that says what is known"
    held.replace(Feed.SERVICES, [], 1030)
    assert held.serial == 1030


# Listeners: the Services whose records may have changed.


def test_listeners_are_told_of_services_and_namespaces() -> None:
    held = state()
    told = Told(held)
    held.put(Feed.SERVICES, PORTED, 1)
    assert told.take() == {NGINX}
    held.put(Feed.SERVICES, PORTED, 2)
    assert told.take() == set()
    held.put(Feed.ENDPOINT_SLICES, SLICE, 3)
    assert told.take() == {NGINX}
    held.put(Feed.ENDPOINT_SLICES, replace(SLICE, service="db"), 4)
    assert told.take() == {NGINX, DB}
    held.drop(Feed.ENDPOINT_SLICES, SLICE.key, 5)
    assert told.take() == {DB}
    held.put(Feed.NAMESPACES, Namespace("default"), 8)
    assert told.take() == {ObjectKey("", "default")}
    held.drop(Feed.NAMESPACES, ObjectKey("", "default"), 8)
    assert told.take() == {ObjectKey("", "default")}
    held.drop(Feed.SERVICES, NGINX, 9)
    assert told.take() == {NGINX}
    held.drop(Feed.SERVICES, NGINX, 10)
    assert told.take() == set()


def test_listeners_are_told_without_keys_of_what_belongs_to_no_service() -> None:
    held = state()
    told = Told(held)
    held.put(Feed.ENDPOINT_SLICES, unlabelled_slice("default/u", "10.0.0.1"), 6)
    held.put(Feed.PODS, pod("default/a", "10.0.0.1"), 7)
    held.put(Feed.PODS, pod("default/a", "10.0.0.1"), 8)
    assert told.calls == [frozenset(), frozenset()]


def test_listeners_are_told_once_per_list() -> None:
    held = state()
    held.replace(Feed.SERVICES, [PORTED, service("default/gone", "10.96.0.1")], 1)
    told = Told(held)
    held.replace(Feed.SERVICES, [PORTED, headless("default/db")], 2)
    assert told.calls == [frozenset((key("default/gone"), DB))]


def test_every_listener_is_told() -> None:
    held = state()
    first, second = Told(held), Told(held)
    held.put(Feed.SERVICES, PORTED, 1)
    assert first.take() == second.take() == {NGINX}


# Pods (section 7)


def test_a_pod_first_seen_while_terminating_is_ignored() -> None:
    held = state()
    held.replace(Feed.PODS, [pod("default/a", "10.4.1.1", terminating=True)], 1)
    held.put(Feed.PODS, pod("default/b", "10.4.1.2", terminating=True), 2)
    assert held.pods_at("10.4.1.1") == held.pods_at("10.4.1.2") == []
    assert held.count(Feed.PODS) == 0


def test_a_pod_that_becomes_terminating_stays_until_it_is_deleted() -> None:
    held = state()
    held.put(Feed.PODS, pod("default/a", "10.4.1.1"), 1)
    held.put(Feed.PODS, pod("default/a", "10.4.1.1", terminating=True), 2)
    assert [found.key for found in held.pods_at("10.4.1.1")] == [key("default/a")]
    held.replace(Feed.PODS, [pod("default/a", "10.4.1.1", terminating=True)], 3)
    assert [found.key for found in held.pods_at("10.4.1.1")] == [key("default/a")]
    held.drop(Feed.PODS, key("default/a"), 4)
    assert held.pods_at("10.4.1.1") == []


def test_pods_by_their_spelling() -> None:
    held = state()
    held.replace(
        Feed.PODS, [pod("default/a", "10.4.1.1"), pod("other/b", "10.4.1.1"), pod("default/c", "fd00::1")], 1
    )
    assert {found.key.name for found in held.pods_at("10.4.1.1")} == {"a", "b"}
    assert held.pods_at("fd00:0::1") == []
    held.put(Feed.PODS, pod("default/a", "10.4.1.9"), 2)
    assert {found.key.name for found in held.pods_at("10.4.1.1")} == {"b"}
    assert {found.key.name for found in held.pods_at("10.4.1.9")} == {"a"}


# Against a model that keeps everything in one dictionary.


class Model:
    def __init__(self) -> None:
        self.held: dict[tuple[Feed, ObjectKey], ClusterObject] = {}

    def put(self, item: ClusterObject) -> None:
        place = feed_of(item), item.key
        if isinstance(item, Pod) and item.terminating and place not in self.held:
            return
        self.held[place] = item

    def replace(self, feed: Feed, items: list[ClusterObject]) -> None:
        known = {place: item for place, item in self.held.items() if place[0] is feed}
        self.held = {place: item for place, item in self.held.items() if place[0] is not feed}
        for item in {item.key: item for item in items}.values():
            if not (isinstance(item, Pod) and item.terminating and (feed, item.key) not in known):
                self.held[feed, item.key] = item

    def slices_of(self, wanted: ObjectKey) -> list[EndpointSlice]:
        found = [item for item in self.held.values() if isinstance(item, EndpointSlice)]
        return sorted((item for item in found if item.service_key == wanted), key=lambda item: item.key)

    def slices_at(self, address: bytes) -> list[ObjectKey]:
        found = [
            item
            for item in self.held.values()
            if isinstance(item, EndpointSlice) and (item.service or item.imported)
        ]
        holding = (item for item in found if any(packed(at.address) == address for at in item.endpoints))
        return sorted(item.key for item in holding)

    def services_at(self, address: bytes) -> list[ObjectKey]:
        found = [item for item in self.held.values() if isinstance(item, Service)]
        return sorted(item.key for item in found if any(packed(text) == address for text in item.cluster_ips))

    def external_owners(self, address: bytes) -> list[ObjectKey]:
        found = [item for item in self.held.values() if isinstance(item, Service)]
        return sorted(
            item.key for item in found if any(packed(text) == address for text in item.external_ips)
        )

    def import_owners(self, address: bytes) -> list[ObjectKey]:
        found = [item for item in self.held.values() if isinstance(item, ServiceImport)]
        return sorted(item.key for item in found if any(packed(text) == address for text in item.ips))

    def slices_of_import(self, wanted: ObjectKey) -> list[EndpointSlice]:
        found = [item for item in self.held.values() if isinstance(item, EndpointSlice)]
        return sorted((item for item in found if item.import_key == wanted), key=lambda item: item.key)

    def pods_at(self, ip: str) -> set[ObjectKey]:
        return {item.key for item in self.held.values() if isinstance(item, Pod) and item.ip == ip}


@pytest.mark.parametrize("seed", range(8))
def test_as_a_model(seed: int) -> None:
    rng = Random(seed)
    held, model = state(), Model()
    for now in range(300):
        item = random_object(rng)
        feed = feed_of(item)
        match rng.randrange(10):
            case 0:
                items = [found for _ in range(8) if feed_of(found := random_object(rng)) is feed]
                held.replace(feed, items, now)
                model.replace(feed, items)
            case 1 | 2 | 3:
                held.drop(feed, item.key, now)
                model.held.pop((feed, item.key), None)
            case _:
                held.put(feed, item, now)
                model.put(item)
        compare(held, model)


def compare(held: ClusterState, model: Model) -> None:
    for feed in Feed:
        assert held.count(feed) == sum(place[0] is feed for place in model.held)
    for namespace in ("x", "y"):
        for name in ("", *NAMES):
            own = ObjectKey(namespace, name)
            assert held.service(own) == model.held.get((Feed.SERVICES, own))
            assert held.service_import(own) == model.held.get((Feed.SERVICE_IMPORTS, own))
            if name:
                assert held.slices_of(own) == model.slices_of(own)
                assert held.slices_of_import(own) == model.slices_of_import(own)
    for text in ADDRESSES[:4]:
        address = packed(text)
        assert address is not None
        assert [item.key for item in held.services_at(address)] == model.services_at(address)
        assert [item.key for item in held.slices_at(address)] == model.slices_at(address)
        assert list(held.external_owners(address)) == model.external_owners(address)
        assert list(held.import_owners(address)) == model.import_owners(address)
        assert {item.key for item in held.pods_at(text)} == model.pods_at(text)
        holders = {
            AddressKind.CLUSTER_IP: model.services_at(address),
            AddressKind.ENDPOINT: model.slices_at(address),
            AddressKind.EXTERNAL: model.external_owners(address),
            AddressKind.CLUSTERSET_IP: model.import_owners(address),
        }
        for shown in ({"x"}, {"x", "y"}, set()):
            for kind, owners in holders.items():
                expected = any(owner.namespace in shown for owner in owners)
                assert held.any_address_within((kind,), address, address, shown.__contains__) == expected
            expected = any(owner.namespace in shown for owners in holders.values() for owner in owners)
            assert (
                held.any_address_within(tuple(AddressKind), address, address, shown.__contains__) == expected
            )
    named = {place[1].name for place in model.held if place[0] is Feed.NAMESPACES}
    assert set(held.namespaces()) == {name for name in NAMES if held.has_namespace(name)} == named
    assert {item.key for item in held.services()} == {
        own for feed, own in model.held if feed is Feed.SERVICES
    }
