"""Changes come into the state in pieces: whole in the end, in order, with turns for others in between."""

import asyncio
from itertools import count

import pytest

from dnsserver.sources.applying import WORK_PER_TURN, Change, apply, replace
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Endpoint, EndpointSlice, Feed, Namespace, ObjectKey, Service

MANY = 5 * WORK_PER_TURN


def service(place: int) -> Service:
    return Service(ObjectKey("default", f"svc-{place}"), cluster_ips=(f"10.96.{place >> 8}.{place & 255}",))


def slice_of(place: int, endpoints: int) -> EndpointSlice:
    found = tuple(Endpoint(f"10.{place}.{index >> 8}.{index & 255}") for index in range(endpoints))
    return EndpointSlice(ObjectKey("default", f"web-{place}"), "web", found)


def state_of() -> ClusterState:
    return ClusterState(frozenset(Feed), 1.0)


async def counts_during(task: "asyncio.Task[None]", state: ClusterState, feed: Feed) -> list[int]:
    """How many objects *feed* has at each turn of the loop."""
    found = [state.count(feed)]
    while not task.done():
        await asyncio.sleep(0)
        found.append(state.count(feed))
    await task
    return sorted(set(found))


async def test_a_list_comes_in_pieces_and_is_synced_at_the_end() -> None:
    state = state_of()
    objects = [service(place) for place in range(MANY)]
    synced = set()
    state.subscribe(lambda _: synced.add("services" not in state.waiting_for))
    task = asyncio.create_task(replace(Feed.SERVICES, objects, (), state, lambda: 2.0))
    assert await counts_during(task, state, Feed.SERVICES) == list(range(0, MANY + 1, WORK_PER_TURN))
    assert synced == {False}
    assert "services" not in state.waiting_for


async def test_endpoints_are_counted_as_work() -> None:
    state = state_of()
    objects = [slice_of(place, WORK_PER_TURN) for place in range(6)]
    task = asyncio.create_task(replace(Feed.ENDPOINT_SLICES, objects, (), state, lambda: 2.0))
    assert await counts_during(task, state, Feed.ENDPOINT_SLICES) == list(range(7))
    kept = objects[:1]
    many = [slice_of(place, 1) for place in range(100)]
    await replace(Feed.ENDPOINT_SLICES, many, (), state, lambda: 3.0)
    held = {item.key for item in many}
    task = asyncio.create_task(replace(Feed.ENDPOINT_SLICES, kept, held, state, lambda: 4.0))
    counts = await counts_during(task, state, Feed.ENDPOINT_SLICES)
    assert (counts[0], counts[-1]) == (1, 100)
    assert len(counts) >= 3


async def test_what_nobody_knew_of_goes_too() -> None:
    state = state_of()
    state.put(Feed.SERVICES, service(1), 2.0)
    await replace(Feed.SERVICES, [service(2)], [ObjectKey("no", "such")], state, lambda: 3.0)
    assert [item.key.name for item in state.services()] == ["svc-2"]


async def test_an_object_that_stands_twice_is_the_last() -> None:
    state = state_of()
    key = ObjectKey("default", "svc-1")
    await replace(Feed.SERVICES, [service(1), Service(key)], (), state, lambda: 3.0)
    assert list(state.services()) == [Service(key)]


async def test_cancelled_changes_are_made_whole() -> None:
    state, clock = state_of(), count(2)
    changes = [Change(Feed.SERVICES, service(place).key, service(place)) for place in range(MANY)]
    changes.append(Change(Feed.SERVICES, service(0).key, None))
    task = asyncio.create_task(apply(changes, state, lambda: float(next(clock))))
    await asyncio.sleep(0)
    assert state.count(Feed.SERVICES) == WORK_PER_TURN
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert state.count(Feed.SERVICES) == MANY - 1


async def test_nothing_to_do_takes_no_turn() -> None:
    state = state_of()
    await apply([], state, lambda: 2.0)
    await replace(Feed.NAMESPACES, [Namespace("default")], (), state, lambda: 2.0)
    assert state.has_namespace("default")
