"""When a watch cannot go on from where it was: a new list, not too often, and never at another feed's cost."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import pytest

from dnsserver.sources.kubernetes.reflector import WATCH_FAILURES_MOST, Limits
from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.testing.kube_api import (
    Fault,
    KubeApi,
    expired,
    half_json,
    namespace,
    service,
    silent,
    slice_of,
    status,
    too_large,
)
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, Feed, ObjectKey
from tests.sources.kubernetes.conftest import HandTime, Running, Starter

WEB = ObjectKey("default", "web")
#: Levels of JSON that msgspec does not read.
TOO_DEEP = 5_000


@pytest.mark.parametrize("as_event", [False, True])
async def test_version_that_the_server_has_not_reached(
    as_event: bool, api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """After a restore of etcd it may never come, so the list is made at once, without a word or a pause."""
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB))
    api.fail(too_large("services", as_event=as_event))
    api.drop_watches("services")
    await run.until(lambda: len(api.asked("list", "services")) == 2)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(api.asked("watch", "services")) <= 3
    assert len(api.asked("list", "namespaces")) == 1


async def test_history_that_is_gone_with_a_restart_costs_no_further_pause(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """An API server that is back has no old history: the pauses while it was away are enough."""
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB))
    api.fail(failing(3))
    api.fail(expired("services", as_event=True))
    api.drop_watches("services")
    await run.until(lambda: len(api.asked("list", "services")) == 2)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(run.time.slept) == 3


async def test_version_that_is_never_reached_is_no_busy_loop(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.fail(too_large("services", times=6))
    run = await start(settings)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(run.time.slept) >= 5
    assert run.said("Too large resource version: 9000, current: 9") == 1


def failing(times: int) -> Fault:
    return status(500, "InternalError", "no", resource="services", verb="watch", times=times)


def ending(times: int) -> Fault:
    return Fault("services", "watch", times, ends=True)


def halved(times: int) -> Fault:
    return half_json("services", "watch", times)


@pytest.mark.parametrize("fault", [failing, ending, halved])
@pytest.mark.parametrize(("times", "lists"), [(WATCH_FAILURES_MOST - 1, 1), (WATCH_FAILURES_MOST + 2, 2)])
async def test_watches_that_fail_in_a_row(
    times: int,
    lists: int,
    fault: Callable[[int], Fault],
    api: KubeApi,
    settings: LiveSettings,
    start: Starter,
) -> None:
    """The first of `ending` and `halved` is taken for a stream that broke off; it counts where it brought nothing."""
    api.fail(fault(times))
    run = await start(settings)
    await run.until(lambda: len(api.asked("watch", "services")) == times + 1)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(api.asked("list", "services")) == lists


async def test_a_good_watch_in_between_begins_the_count_anew(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    for place in range(3):
        api.fail(failing(WATCH_FAILURES_MOST - 2))
        api.drop_watches("services")
        await run.until(lambda: api.watching() == 3 and not run.state.stale)
        api.add(service(f"svc-{place}", f"10.96.0.{place}"))
        await run.until(partial(holds, run, place + 1))
    assert len(api.asked("list", "services")) == 1


def holds(run: Running, services: int) -> bool:
    return run.state.count(Feed.SERVICES) == services


async def test_too_many_requests_ask_for_no_list(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.fail(status(429, "TooManyRequests", "slow down", resource="services", verb="watch", times=12))
    run = await start(settings)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(api.asked("list", "services")) == 1


async def test_an_api_server_that_is_away_asks_for_no_list(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    await api.stop()
    await run.until(lambda: len(run.time.slept) > 6 * WATCH_FAILURES_MOST)
    await api.start()
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(api.asked("list")) == 3


async def test_watches_that_stay_silent(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    """Some API servers say nothing at all to a watch from a version that they have not reached."""
    api.fail(silent("services", times=WATCH_FAILURES_MOST))
    run = await start(settings, limits=Limits(silence_s=0.05))

    def listed_again() -> bool:
        run.time.at += 1.0  # no watch is a short one
        return len(api.asked("list", "services")) == 2

    await run.until(listed_again)
    assert len(api.asked("watch", "services")) >= WATCH_FAILURES_MOST


# Errors of ours.


async def test_event_that_is_nested_too_deep_harms_no_other_feed(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    deep = b'{"type":"ADDED","object":{"metadata":{"name":"x","namespace":"y"},"spec":'
    line = deep + b'{"a":' * TOO_DEEP + b"1" + b"}" * TOO_DEEP + b"}}\n"
    api.fail(Fault("services", "watch", lines=(line,), times=2))
    run = await start(settings)
    await run.until(lambda: len(api.asked("watch", "services")) == 3 and api.watching() == 3)
    api.add(service("web", "10.96.0.10"), namespace("shop"))
    await run.until(lambda: run.state.service(WEB) and run.state.has_namespace("shop"))
    assert run.said("services: the API server's answer cannot be read: watch event: nested too deep") == 1
    assert len(api.asked("watch", "namespaces")) == 1


async def test_unexpected_exception_stays_with_its_feed(
    api: KubeApi, settings: LiveSettings, start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stack is shown once; the feed is stale, keeps its objects, and is listed again after growing pauses."""
    put, healed = ClusterState.put, False

    def broken(self: ClusterState, feed: Feed, item: ClusterObject, now: float) -> None:
        if item.key.name == "bad" and not healed:
            raise ZeroDivisionError("no such thing")
        put(self, feed, item, now)

    monkeypatch.setattr(ClusterState, "put", broken)
    api.add(service("web", "10.96.0.10"))
    run = await start(settings, time=HandTime(chance=0.0))
    await run.until(lambda: api.watching() == 3)
    api.add(service("bad", "10.96.0.11"))
    await run.until(lambda: len(api.asked("list", "services")) == 5)
    assert run.said("services: unexpected ZeroDivisionError: no such thing; it will be listed again") == 1
    (record,) = [record for record in run.log.records if record.exc_info]
    assert record.levelno == logging.ERROR
    assert run.state.stale == {Feed.SERVICES: "unexpected ZeroDivisionError: no such thing"}
    assert run.state.service(WEB)
    assert run.time.slept[:4] == [0.8, 1.6, 3.2, 6.4]
    api.add(namespace("shop"))
    await run.until(lambda: run.state.has_namespace("shop"))
    assert len(api.asked("list", "namespaces")) == 1
    healed = True
    await run.until(lambda: run.state.service(ObjectKey("default", "bad")) and not run.state.stale)
    assert not run.task.done()


# What it says of itself.


async def test_counters(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    await run.until(lambda: run.source.watches_total == 3)
    none = dict.fromkeys(settings.feeds, 0)
    found = run.source
    assert (found.lists_total, found.events_total, found.failures_total) == (3, none, none)
    api.add(service("web", "10.96.0.10"), service("api", "10.96.0.11"), slice_of("web", ["10.244.1.5"]))
    await run.until(lambda: sum(found.events_total.values()) == 3)
    assert found.events_total == {**none, Feed.SERVICES: 2, Feed.ENDPOINT_SLICES: 1}
    api.fail(status(500, "InternalError", "no", resource="services", verb="watch", times=3))
    api.drop_watches("services")
    await run.until(lambda: found.watches_total == 4)
    assert found.failures_total == {**none, Feed.SERVICES: 4}
    api.compact(expire_watches=True)
    await run.until(lambda: found.lists_total == 6)


async def test_debug_lines(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    run = await start(settings)
    run.log.set_level(logging.DEBUG, logger="dnsserver.kubernetes")
    await run.until(lambda: api.watching() == 3)
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB))
    api.drop_watches("services")
    await run.until(lambda: run.source.watches_total == 4)
    lines = [record.getMessage() for record in run.log.records if record.levelno == logging.DEBUG]
    assert [line for line in lines if line.startswith("services: ")] == [
        "services: list begun",
        "services: list complete: 0 objects at resourceVersion 1",
        "services: watch opened from resourceVersion 1",
        "services: watch closed after 0 s and 1 events at resourceVersion 2",
        "services: watch resumed from resourceVersion 2",
    ]


async def test_api_server_that_is_not_reachable_is_said_with_its_url(start: Starter) -> None:
    """docs/operations.md has the words."""
    async with KubeApi() as api:
        url = api.url
    run = await start(LiveSettings(endpoint=url))
    await run.until(lambda: run.said(f"the API server is not reachable at {url}: Cannot connect") == 3)
    assert f"not reachable at {url}" in run.state.stale[Feed.SERVICES]


# Large lists.


async def test_a_large_list_leaves_the_loop_free(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """Between any two turns of the loop a part of the list comes in, on top of what was there."""
    addresses = [f"10.244.{place >> 8}.{place & 255}" for place in range(4_000)]
    slices = [slice_of("web", addresses[at : at + 100], name=f"web-{at}") for at in range(0, 4_000, 100)]
    api.add(*slices, service("web", "None"))
    run = await start(settings)
    counts = set()
    while not run.state.synced:
        counts.add(run.state.count(Feed.ENDPOINT_SLICES))
        await asyncio.sleep(0)
    assert len(counts) >= 5
    await run.until(lambda: api.watching() == 3)
    api.delete(*slices[1:])
    await run.until(lambda: run.state.count(Feed.ENDPOINT_SLICES) == 1)


async def test_what_vanished_while_it_was_away_goes_in_pieces(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    services = [service(f"svc-{place}", f"10.96.{place >> 8}.{place & 255}") for place in range(1_500)]
    api.add(*services)
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    await api.stop()
    api.delete(*services[1:])
    api.compact()
    await api.start()
    counts = set()
    while run.state.count(Feed.SERVICES) > 1:
        counts.add(run.state.count(Feed.SERVICES))
        await asyncio.sleep(0)
    assert len(counts) >= 3
    await run.until(lambda: not run.state.stale)
