"""What a zone answers follows what the cluster holds, at once."""

from collections.abc import Callable, Iterator

import pytest

from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, EndpointSlice, Feed, Namespace, ObjectKey
from dnsserver.zone.policy import PodMode, RecordPolicy
from dnsserver.zone.view import KEPT_RECORDS, KEPT_SERVICES, ServiceTable, ZoneView
from tests.answers.case import reply_shown
from tests.answers.objects import external, headless, key, namespaces, pod, service, slice_of
from tests.answers.scene import Scene, query_value

D = "default.svc.cluster.local."
EMPTY = Scene(name="empty", objects=namespaces("default"), policy=RecordPolicy(pods=PodMode.VERIFIED))


async def show(handler: Handler, ask: str) -> tuple[str, ...]:
    """The RCODE and the RDATA of the answer."""
    name, rtype = ask.split()
    reply = await handler(query_value(name, rtype))
    assert reply is not None
    shown = reply_shown(reply)
    return shown.rcode, *(line.split(maxsplit=4)[4] for line in shown.answer)


Change = Callable[[ClusterState], None]


def put(feed: Feed, *items: ClusterObject) -> Change:
    def change(state: ClusterState) -> None:
        for item in items:
            state.put(feed, item, 1)

    return change


def drop(feed: Feed, name: str) -> Change:
    return lambda state: state.drop(feed, key(name), 1)


WEB = f"web.{D} A"
HISTORIES: tuple[tuple[str, str, tuple[tuple[Change, tuple[str, ...]], ...]], ...] = (
    (
        "a Service comes, changes its kind and its address, and goes",
        WEB,
        (
            (put(Feed.SERVICES, service("default/web", "10.96.0.1")), ("NOERROR", "10.96.0.1")),
            (put(Feed.SERVICES, service("default/web", "10.96.0.2")), ("NOERROR", "10.96.0.2")),
            (put(Feed.SERVICES, external("default/web", f"other.{D}")), ("NXDOMAIN", f"other.{D}")),
            (
                put(Feed.SERVICES, service("default/other", "10.96.0.9")),
                ("NOERROR", f"other.{D}", "10.96.0.9"),
            ),
            (put(Feed.SERVICES, service("default/web", "10.96.0.3")), ("NOERROR", "10.96.0.3")),
            (drop(Feed.SERVICES, "default/web"), ("NXDOMAIN",)),
        ),
    ),
    (
        "endpoints come and go",
        WEB,
        (
            (put(Feed.SERVICES, headless("default/web", "h:80")), ("NXDOMAIN",)),
            (put(Feed.ENDPOINT_SLICES, slice_of("default/web", "a", "10.0.0.1")), ("NOERROR", "10.0.0.1")),
            (
                put(Feed.ENDPOINT_SLICES, slice_of("default/web", "b", "10.0.0.2")),
                ("NOERROR", "10.0.0.1", "10.0.0.2"),
            ),
            (put(Feed.ENDPOINT_SLICES, slice_of("default/web", "a", "")), ("NOERROR", "10.0.0.2")),
            (drop(Feed.ENDPOINT_SLICES, "default/web-b"), ("NXDOMAIN",)),
        ),
    ),
    (
        "slices before their Service",
        f"x.web.{D} A",
        (
            (put(Feed.ENDPOINT_SLICES, slice_of("default/web", "a", "10.0.0.1=x")), ("NXDOMAIN",)),
            (put(Feed.SERVICES, service("default/web", "10.96.0.1")), ("NOERROR", "10.0.0.1")),
            (drop(Feed.ENDPOINT_SLICES, "default/web-a"), ("NXDOMAIN",)),
        ),
    ),
    (
        "a namespace hides at once, and shows at once",
        WEB,
        (
            (put(Feed.SERVICES, service("default/web", "10.96.0.1")), ("NOERROR", "10.96.0.1")),
            (lambda state: state.drop(Feed.NAMESPACES, ObjectKey("", "default"), 1), ("NXDOMAIN",)),
            (put(Feed.NAMESPACES, Namespace("default")), ("NOERROR", "10.96.0.1")),
        ),
    ),
    (
        "PTR follows",
        "1.0.0.10.in-addr.arpa. PTR",
        (
            (
                put(Feed.ENDPOINT_SLICES, slice_of("default/web", "a", "10.0.0.1=x")),
                ("NOERROR", f"x.web.{D}"),
            ),
            (put(Feed.SERVICES, service("default/api", "10.0.0.1")), ("NOERROR", f"api.{D}")),
            (drop(Feed.SERVICES, "default/api"), ("NOERROR", f"x.web.{D}")),
            (lambda state: state.drop(Feed.NAMESPACES, ObjectKey("", "default"), 1), ("NXDOMAIN",)),
        ),
    ),
    (
        "a partial reverse name follows",
        "0.10.in-addr.arpa. PTR",
        (
            (put(Feed.SERVICES, service("default/api", "10.0.0.1")), ("NOERROR",)),
            (put(Feed.SERVICES, service("default/api", "10.1.0.1")), ("NXDOMAIN",)),
        ),
    ),
    (
        "pods",
        "10-4-1-1.default.pod.cluster.local. A",
        (
            (put(Feed.PODS, pod("default/a", "10.4.1.1", terminating=True)), ("NXDOMAIN",)),
            (put(Feed.PODS, pod("default/a", "10.4.1.1")), ("NOERROR", "10.4.1.1")),
            (put(Feed.PODS, pod("default/a", "10.4.1.1", terminating=True)), ("NOERROR", "10.4.1.1")),
            (put(Feed.PODS, pod("default/a", "10.4.1.2")), ("NXDOMAIN",)),
            (put(Feed.PODS, pod("default/b", "10.4.1.1")), ("NOERROR", "10.4.1.1")),
            (drop(Feed.PODS, "default/b"), ("NXDOMAIN",)),
        ),
    ),
)


@pytest.mark.parametrize(
    ("why", "ask", "steps"), HISTORIES, ids=[row[0].replace(" ", "-") for row in HISTORIES]
)
async def test_history(why: str, ask: str, steps: tuple[tuple[Change, tuple[str, ...]], ...]) -> None:
    state = EMPTY.state()
    handler = EMPTY.handler(state)
    assert await show(handler, ask) == ("NXDOMAIN",)
    for change, expected in steps:
        change(state)
        assert await show(handler, ask) == expected, why
        assert await show(handler, ask) == expected, "the same from what is kept"


async def test_soa_serial_follows() -> None:
    state = EMPTY.state()
    handler = EMPTY.handler(state)
    state.put(Feed.SERVICES, service("default/web"), 1_800_000_000)
    assert (await show(handler, "cluster.local. SOA"))[1].split()[2] == "1800000000"


async def test_servfail_ends_with_the_last_first_list() -> None:
    state = ClusterState(Feed, 1)
    handler = EMPTY.handler(state)
    for feed in set(Feed) - {Feed.NAMESPACES}:
        state.replace(feed, [], 1)
        assert await show(handler, WEB) == ("SERVFAIL",)
    state.replace(Feed.NAMESPACES, namespaces("default"), 1)
    assert await show(handler, WEB) == ("NXDOMAIN",)
    state.mark_stale(Feed.SERVICES, "the watch is lost")
    assert await show(handler, WEB) == ("NXDOMAIN",)


def test_the_table_keeps_a_bounded_number_of_services() -> None:
    """Whichever are dropped are made again: the oldest use goes first."""
    state = ClusterState(Feed, 1)
    count = KEPT_SERVICES + 50
    state.replace(Feed.SERVICES, [service(f"default/s{n}", "10.96.0.1") for n in range(count)], 1)
    table = ServiceTable(state, RecordPolicy())
    first = table.names_of(key("default/s0"))
    for n in range(1, count):
        assert b"" in (table.names_of(key(f"default/s{n}")) or ())
        assert table.names_of(key("default/s0")) is first
    assert b"" in (table.names_of(key("default/s1")) or ())


def many_endpoints(name: str, slices: int, ports: int) -> Iterator[EndpointSlice]:
    for number in range(slices):
        endpoints = " ".join(f"10.1.{number}.{last}" for last in range(100))
        words = " ".join(f"p{port}:{port}" for port in range(ports))
        yield slice_of(f"default/{name}", f"{number}", endpoints, words)


def test_the_table_keeps_a_bounded_number_of_records() -> None:
    """Five Services of 10,000 records each are as much as is kept; one that has more by itself is not kept."""
    state = ClusterState(Feed, 1)
    assert 50_000 <= KEPT_RECORDS < 60_000
    names_ = [f"s{number}" for number in range(6)]
    state.replace(Feed.SERVICES, [headless(f"default/{name}") for name in (*names_, "large")], 1)
    slices = [found for name in names_ for found in many_endpoints(name, 10, 9)]
    state.replace(Feed.ENDPOINT_SLICES, [*slices, *many_endpoints("large", 20, 26)], 1)
    table = ServiceTable(state, RecordPolicy())
    made = {name: table.names_of(key(f"default/{name}")) for name in names_}
    assert table.names_of(key("default/s5")) is made["s5"]
    assert table.names_of(key("default/s0")) is not made["s0"]
    assert table.names_of(key("default/large")) is not table.names_of(key("default/large"))
    assert table.names_of(key("default/s5")) is made["s5"], "the large one drives nothing out"


def test_the_table_counts_what_it_forgets() -> None:
    state = ClusterState(Feed, 1)
    state.replace(Feed.SERVICES, [headless("default/web")], 1)
    table = ServiceTable(state, RecordPolicy())
    empty = repr(table)
    for number in range(3):
        state.replace(Feed.ENDPOINT_SLICES, list(many_endpoints("web", number, 1)), 1)
        assert table.names_of(key("default/web")) is not None
        assert repr(table) == f"<ServiceTable services=1 records={2 + 100 * number}>"
    state.drop(Feed.SERVICES, key("default/web"), 1)
    assert table.names_of(key("default/web")) is None
    assert repr(table) == empty


def test_anything_may_have_changed() -> None:
    state = ClusterState(Feed, 1)
    state.replace(Feed.SERVICES, [headless("default/web")], 1)
    table = ServiceTable(state, RecordPolicy())
    made = table.names_of(key("default/web"))
    assert table.names_of(key("default/web")) is made
    state.tell(None)
    assert table.names_of(key("default/web")) is not made


def test_missing_services_are_not_kept() -> None:
    state = ClusterState(Feed, 1)
    table = ServiceTable(state, RecordPolicy())
    assert table.names_of(key("default/web")) is None
    state.put(Feed.SERVICES, service("default/web", "10.96.0.1"), 1)
    assert b"" in (table.names_of(key("default/web")) or ())


def test_repr_shows_the_zone() -> None:
    state = ClusterState(Feed, 1)
    origin = names.from_text("cluster.local.")
    policy = RecordPolicy()
    view = ZoneView(origin, origin, state, policy, ServiceTable(state, policy))
    assert repr(view) == "<ZoneView cluster.local.>"
