"""A source that follows a healthy API server: lists, watches, pages, bookmarks, selectors."""

import asyncio
from dataclasses import replace

import pytest

from dnsserver.sources import selectors
from dnsserver.sources.kubernetes.reflector import Limits
from dnsserver.sources.kubernetes.settings import DEFAULT_FEEDS, LiveSettings
from dnsserver.sources.objects import SliceParts
from dnsserver.testing.kube_api import (
    KubeApi,
    imported_slice,
    namespace,
    pod,
    service,
    service_import,
    slice_of,
)
from dnsserver.zone.objects import Endpoint, Feed, ObjectKey, Port, ServiceImport, ServiceType
from tests.sources.kubernetes.conftest import HandTime, Running, Starter

WEB = ObjectKey("default", "web")
ALL_FEEDS = frozenset(Feed)


async def following(run: Running, api: KubeApi) -> None:
    """Wait until every feed has its list and an open watch."""
    await run.synced()
    await run.until(lambda: api.watching() == len(run.state.feeds))


async def test_first_list(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    api.namespace("default")
    api.add(service("web", "10.96.0.10"), slice_of("web", ["10.244.1.5", "10.244.2.5"]))
    run = await start(settings)
    await run.synced()
    found = run.state.service(WEB)
    assert found is not None
    assert (found.type, found.cluster_ips) == (ServiceType.CLUSTER_IP, ("10.96.0.10",))
    assert found.ports == (Port("http", "tcp", 80),)
    (piece,) = run.state.slices_of(WEB)
    assert piece.endpoints == (Endpoint("10.244.1.5", "", "web-0"), Endpoint("10.244.2.5", "", "web-1"))
    assert run.state.has_namespace("default")
    assert run.messages == []


async def test_events(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    run = await start(settings)
    await following(run, api)
    web = service("web", "10.96.0.10")
    api.add(web, slice_of("web", ["10.244.1.5"]))
    await run.until(lambda: run.state.service(WEB) and run.state.slices_of(WEB))
    api.update(service("web", "10.96.0.11"))
    await run.until(lambda: run.state.services_at(bytes((10, 96, 0, 11))))
    assert run.state.services_at(bytes((10, 96, 0, 10))) == []
    api.delete(web)
    await run.until(lambda: run.state.service(WEB) is None)
    api.namespace("shop")
    await run.until(lambda: run.state.has_namespace("shop"))
    api.delete(namespace("shop"))
    await run.until(lambda: not run.state.has_namespace("shop"))
    assert [len(api.asked("list", feed.value)) for feed in run.state.feeds] == [1, 1, 1]


async def test_only_list_and_watch_are_used(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    run = await start(settings)
    await following(run, api)
    assert {request.verb for request in api.requests} == {"list", "watch"}
    assert {request.resource for request in api.requests} == {"services", "endpointslices", "namespaces"}
    assert {request.user_agent for request in api.requests} == {"dnsserver/0.1.0"}


async def test_pods_only_when_wanted(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    api.add(pod("a", "10.244.0.9"), pod("done", "10.244.0.10", phase="Succeeded"))
    run = await start(replace(settings, feeds=ALL_FEEDS))
    await following(run, api)
    assert [found.key.name for found in run.state.pods_at("10.244.0.9")] == ["a"]
    assert run.state.count(Feed.PODS) == 1
    api.update(pod("a", "10.244.0.9", phase="Failed"))
    await run.until(lambda: run.state.count(Feed.PODS) == 0)
    wanted = "status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown"
    assert {request.parameters["fieldSelector"] for request in api.asked(resource="pods")} == {wanted}


async def test_pages(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    """1,203 Services are more than two pages of 500."""
    api.add(*(service(f"svc-{place}", f"10.96.{place // 256}.{place % 256}") for place in range(1203)))
    run = await start(settings)
    await run.synced()
    assert run.state.count(Feed.SERVICES) == 1203
    pages = api.asked("list", "services")
    assert [request.parameters["limit"] for request in pages] == ["500"] * 3
    assert ["continue" in request.parameters for request in pages] == [False, True, True]


async def test_nothing_is_served_from_a_part_of_the_list(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.add(*(service(f"svc-{place}", f"10.96.0.{place}") for place in range(10)))
    run = await start(settings, limits=Limits(page_objects=1))
    counts = set()
    while not run.state.synced:
        counts.add(run.state.count(Feed.SERVICES))
        await asyncio.sleep(0)
    counts.add(run.state.count(Feed.SERVICES))
    assert counts == {0, 10}


async def test_a_change_between_list_and_watch_is_seen(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """Two requests are let through at once: two pages of three."""
    api.add(*(service(f"svc-{place}", f"10.96.0.{place}") for place in range(6)))
    time = HandTime(hold=True)
    run = await start(
        replace(settings, qps=1, burst=2, feeds=frozenset({Feed.SERVICES})),
        time=time,
        limits=Limits(page_objects=2),
    )
    await run.until(lambda: time.sleepers and len(api.asked("list", "services")) == 2)
    api.delete(service("svc-0"))
    api.add(service("late", "10.96.1.1"))
    time.hold = False
    time.wake()
    await run.until(lambda: run.state.service(ObjectKey("default", "late")))
    await run.until(lambda: run.state.service(ObjectKey("default", "svc-0")) is None)
    assert len(api.asked("list", "services")) == 3


async def test_watches_ask_for_bookmarks_and_an_end(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    run = await start(settings)
    await following(run, api)
    for request in api.asked("watch"):
        assert request.parameters["allowWatchBookmarks"] == "true"
        assert request.parameters["resourceVersion"] == "1"
        assert request.parameters["timeoutSeconds"] == "450"  # the middle of 300 to 600, as chance is 0.5


async def test_a_bookmark_moves_the_place_to_resume_from(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """Other feeds move the version on; after compaction only the bookmark saves the Services a new list."""
    run = await start(settings)
    await following(run, api)
    for place in range(20):
        api.namespace(f"ns-{place}")
    api.compact()
    version = api.version
    api.bookmark()
    await run.until(lambda: f"at {version}" in repr(run.source.reflectors[0]))
    api.drop_watches("services")
    await run.until(lambda: len(api.asked("watch", "services")) == 2)
    assert api.asked("watch", "services")[1].parameters["resourceVersion"] == str(version)
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB))
    assert len(api.asked("list", "services")) == 1


async def test_a_watch_that_ends_is_resumed_without_a_list(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    run = await start(settings)
    await following(run, api)

    async def grown_to(services: int, watches: int) -> None:
        await run.until(lambda: run.state.count(Feed.SERVICES) == services)
        await run.until(lambda: len(api.asked("watch", "services")) == watches)

    for place in range(3):
        api.add(service(f"svc-{place}", f"10.96.0.{place}"))
        await grown_to(place + 1, place + 1)
        api.drop_watches("services")
        await grown_to(place + 1, place + 2)
    assert len(api.asked("list", "services")) == 1
    assert run.messages == []


async def test_label_selectors(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    api.add(
        service("in", "10.96.0.1", labels={"dns": "yes"}),
        service("out", "10.96.0.2", labels={"dns": "no"}),
        slice_of("in", ["10.244.0.1"], labels={"dns": "yes"}),
        slice_of("out", ["10.244.0.2"]),
    )
    api.namespace("default", {"team": "a"})
    api.namespace("other", {"team": "c"})
    wanted = replace(
        settings,
        labels=selectors.parse("dns=yes"),
        namespace_labels=selectors.parse("team in (a, b)"),
    )
    run = await start(wanted)
    await following(run, api)
    assert [found.key.name for found in run.state.services()] == ["in"]
    assert run.state.count(Feed.ENDPOINT_SLICES) == 1
    assert list(run.state.namespaces()) == ["default"]
    api.update(service("in", "10.96.0.1", labels={"dns": "no"}))
    await run.until(lambda: run.state.count(Feed.SERVICES) == 0)
    api.update(service("in", "10.96.0.1", labels={"dns": "yes"}))
    await run.until(lambda: run.state.count(Feed.SERVICES) == 1)


async def test_it_stops_when_cancelled_and_leaves_no_task(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    run = await start(settings)
    await following(run, api)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert {"kubernetes services", "kubernetes endpointslices.discovery.k8s.io"} <= names
    run.task.cancel()
    await asyncio.wait([run.task])
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("kubernetes ")]
    await run.until(lambda: api.watching() == 0)


@pytest.mark.alone
async def test_a_large_cluster(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    """10,000 Services, 2,000 slices of 50 endpoints; meanwhile the event loop goes on turning."""
    api.add(*(service(f"svc-{place}", f"10.{place >> 8}.{place & 255}.1") for place in range(10_000)))
    api.add(
        *(
            slice_of(f"svc-{place}", [f"172.{place >> 8}.{place & 255}.{host}" for host in range(50)])
            for place in range(2_000)
        )
    )
    run = await start(settings)
    await run.synced()
    assert (run.state.count(Feed.SERVICES), run.state.count(Feed.ENDPOINT_SLICES)) == (10_000, 2_000)


async def test_service_imports_and_their_slices(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    """One watch of slices for both; without own ones, only those that have the label."""
    api.add(
        service_import("web", ["10.112.0.1"]),
        imported_slice("web", "east", ["10.1.0.1"]),
        slice_of("web", ["10.244.0.1"]),
    )
    feeds = DEFAULT_FEEDS | {Feed.SERVICE_IMPORTS}
    run = await start(replace(settings, feeds=feeds, parts=SliceParts(imported=True)))
    await following(run, api)
    assert run.state.service_import(WEB) == ServiceImport(
        WEB, False, ("10.112.0.1",), (Port("http", "tcp", 80),)
    )
    assert [found.cluster for found in run.state.slices_of_import(WEB)] == ["east"]
    assert [found.key.name for found in run.state.slices_of(WEB)] == ["web-x1"]
    api.delete(imported_slice("web", "east", []))
    await run.until(lambda: not run.state.slices_of_import(WEB))
    paths = {request.path for request in api.asked(resource="serviceimports")}
    assert paths == {"/apis/multicluster.x-k8s.io/v1alpha1/serviceimports"}
    only = await start(replace(settings, feeds=feeds, parts=SliceParts(own=False, imported=True)))
    api.add(imported_slice("web", "west", ["10.2.0.1"]))
    await only.until(lambda: only.state.slices_of_import(WEB))
    assert only.state.count(Feed.ENDPOINT_SLICES) == 1
    selectors = {request.parameters.get("labelSelector") for request in api.asked(resource="endpointslices")}
    assert selectors == {None, "multicluster.kubernetes.io/service-name"}
