"""What goes wrong between us and the API server: said in words, survived, and made good afterwards."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dnsserver.sources.kubernetes.pacing import BACKOFF_FIRST_S, BACKOFF_MOST_S
from dnsserver.sources.kubernetes.reflector import Limits
from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.testing.kube_api import (
    Fault,
    KubeApi,
    cut,
    expired,
    forbidden,
    half_json,
    mute,
    service,
    silent,
    slice_of,
    slow,
    status,
    watch_line,
)
from dnsserver.zone.objects import Feed, ObjectKey
from tests.sources.kubernetes.conftest import HandTime, Running, Starter

WEB = ObjectKey("default", "web")


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, and what must be said about it ("": nothing)."""

    fault: Callable[[str], Fault]
    says: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb}: {self.says[:50]}".strip()


def html(verb: str) -> Fault:
    return Fault("services", verb, 2, 502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})


def failing(code: int, reason: str, message: str, **more: Any) -> Callable[[str], Fault]:
    return lambda verb: status(code, reason, message, resource="services", verb=verb, **more)


FAULTS: tuple[tuple[Callable[[str], Fault], str], ...] = (
    (
        lambda verb: forbidden("services", verb, times=3),
        'add to the ClusterRole the rule {apiGroups: [""], resources: ["services"], verbs: ["list", "watch"]}',
    ),
    (
        failing(401, "Unauthorized", "Unauthorized", times=2),
        "the API server does not accept the credentials (401 Unauthorized: Unauthorized); they are read again",
    ),
    (
        failing(404, "NotFound", "no such resource", times=2),
        "the API server has no services in v1 (404 NotFound: no such resource); see `kubectl api-versions`",
    ),
    (
        failing(429, "TooManyRequests", "slow down", retry_after="7"),
        "the API server answers 429 TooManyRequests: slow down",
    ),
    (
        failing(500, "InternalError", "etcd is away", times=3),
        "the API server answers 500 InternalError: etcd is away",
    ),
    (html, "the API server answers 502 Bad Gateway"),
    (lambda verb: half_json("services", verb, times=3), "the API server's answer cannot be read: "),
    (lambda verb: cut("services", verb, times=3), ""),
)
CASES = tuple(Case(fault, says, verb) for verb in ("list", "watch") for fault, says in FAULTS)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_fault(case: Case, api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    """The feed converges after the fault, the others are not disturbed, and the words come once."""
    api.namespace("default")
    api.add(service("web", "10.96.0.10"), slice_of("web", ["10.244.1.5"]))
    api.fail(case.fault(case.verb))
    run = await start(settings)
    await run.synced()
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    api.add(service("late", "10.96.0.11"))
    await run.until(lambda: {item.key.name for item in run.state.services()} == {"web", "late"})
    assert run.state.stale == {}
    if case.says:
        assert run.said(case.says) == 1, run.messages
    assert all(message.startswith("services: ") for message in run.messages)
    assert len(api.asked("list", "endpointslices")) == 1
    assert not run.task.done()


async def test_forbidden_feed_is_stale_and_quiet(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """Tried again and again, said once; the other feeds are served."""
    api.fail(forbidden("endpointslices", "list", "discovery.k8s.io"))
    api.add(service("web", "10.96.0.10"))
    run = await start(settings)
    await run.until(lambda: len(api.asked("list", "endpointslices")) > 10 and run.state.service(WEB))
    assert run.state.waiting_for == ["endpointslices"]
    (message,) = run.messages
    assert message == (
        "endpointslices.discovery.k8s.io: not allowed to list and watch (403 Forbidden: "
        "endpointslices.discovery.k8s.io is forbidden: User "
        '"system:serviceaccount:kube-system:dnsserver" cannot list resource "endpointslices" in API group '
        '"discovery.k8s.io" at the cluster scope); add to the ClusterRole the rule '
        '{apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"]}'
    )
    assert "ClusterRole" in run.state.stale[Feed.ENDPOINT_SLICES]
    api.heal()
    await run.until(lambda: run.state.synced and not run.state.stale)
    assert run.said("endpointslices") == 1


async def test_missing_api_group(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    api.fail(
        status(404, "NotFound", "the server could not find the requested resource", resource="endpointslices")
    )
    run = await start(settings)
    await run.synced()
    assert run.said("no endpointslices in discovery.k8s.io/v1 (404") == 1


async def test_retry_after_is_kept(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    for code, seconds in ((429, "7"), (503, "11"), (429, "86400"), (429, "soon")):
        api.fail(status(code, "Wait", "wait", resource="services", verb="list", retry_after=seconds))
    run = await start(settings)
    await run.synced()
    assert run.time.slept[:3] == [7.0, 11.0, 120.0]
    assert 0 < run.time.slept[3] <= BACKOFF_MOST_S


async def test_backoff_grows_and_is_reset_by_success(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.fail(status(500, "InternalError", "no", resource="services", verb="list", times=8))
    run = await start(settings, time=HandTime(chance=0.0))
    await run.until(lambda: api.watching("services"))
    assert run.time.slept == [0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0, 15.0]
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB))
    api.fail(status(500, "InternalError", "no", resource="services", verb="watch"))
    api.drop_watches("services")
    await run.until(lambda: len(run.time.slept) == 9)
    assert run.time.slept[8] == BACKOFF_FIRST_S


async def test_pauses_stay_within_their_bounds(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    api.fail(status(500, "InternalError", "no", resource="services", verb="list", times=9))
    run = await start(settings, time=HandTime(chance=0.999999))
    await run.synced()
    assert all(BACKOFF_FIRST_S <= pause <= BACKOFF_MOST_S for pause in run.time.slept)


async def test_410_as_event_lists_again_and_drops_what_vanished(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.add(service("web", "10.96.0.10"), service("old", "10.96.0.11"))
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    await api.stop()
    await run.until(lambda: len(run.state.stale) == 3)
    api.delete(service("old"))
    api.add(service("new", "10.96.0.12"))
    api.compact()
    await api.start()
    await run.until(lambda: {item.key.name for item in run.state.services()} == {"web", "new"})
    await run.until(lambda: not run.state.stale)
    assert len(api.asked("list", "services")) == 2


async def test_410_on_an_open_watch(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB))
    api.compact(expire_watches=True)
    await run.until(lambda: len(api.asked("watch", "services")) == 2 and api.watching() == 3)
    assert len(api.asked("list", "services")) == 2
    assert (
        run.said("services") == 0
    )  # the first 410 after progress is no failure: no words, no pause, not stale


@pytest.mark.parametrize("as_event", [False, True])
async def test_410_on_opening_a_watch(
    as_event: bool, api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.fail(expired("services", "watch", as_event=as_event))
    api.add(service("web", "10.96.0.10"))
    run = await start(settings)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(api.asked("list", "services")) == 2
    assert run.state.service(WEB)


async def test_endless_410_is_no_busy_loop(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    for _ in range(6):
        api.fail(expired("services", as_event=True))
    run = await start(settings)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert len(run.time.slept) >= 5
    assert run.said("has no history from where we are: too old resource version") == 1


async def test_410_between_pages_starts_the_list_over(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.add(*(service(f"svc-{place}", f"10.96.0.{place}") for place in range(5)))
    api.fail(expired("services", "list", continued=True))
    run = await start(settings, limits=Limits(page_objects=2))
    await run.synced()
    assert run.state.count(Feed.SERVICES) == 5
    assert ["continue" in request.parameters for request in api.asked("list", "services")] == [
        *(False, True),
        *(False, True, True),
    ]


async def test_silent_watch_is_closed_and_resumed(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.fail(silent("services"))
    run = await start(settings, limits=Limits(silence_s=0.1))
    await run.until(lambda: api.watching("services"))
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB))
    assert len(api.asked("list", "services")) == 1
    assert len(api.asked("watch", "services")) >= 2


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_server_that_takes_requests_and_never_answers(
    verb: str, api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.fail(mute("services", verb, times=2))
    api.add(service("web", "10.96.0.10"))
    run = await start(settings, limits=Limits(silence_s=0.1, list_silence_s=0.1))
    await run.until(lambda: api.watching("services") and run.state.service(WEB))
    text = f"services: the API server at {api.url} does not answer: Timeout on reading data from socket"
    assert run.said(text) == 1


async def test_bookmarks_keep_an_idle_watch_alive(start: Starter) -> None:
    async with KubeApi(bookmark_s=0.02) as api:
        run = await start(LiveSettings(endpoint=api.url), limits=Limits(silence_s=0.2))
        await run.until(lambda: api.watching() == 3)
        await asyncio.sleep(0.5)
        assert len(api.asked("watch")) == 3


async def test_api_server_away_and_back(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    """While it is away the objects stay, marked stale; the first connection need not succeed either."""
    await api.stop()
    run = await start(settings)
    await run.until(lambda: len(run.state.stale) == 3)
    assert run.state.waiting_for == ["endpointslices", "namespaces", "services"]
    assert run.said("Cannot connect to host") == 3
    await api.start()
    api.add(service("web", "10.96.0.10"))
    await run.until(lambda: run.state.service(WEB) and api.watching() == 3)
    await api.stop()
    await run.until(lambda: len(run.state.stale) == 3)
    assert run.state.service(WEB)
    assert run.state.synced
    await api.start()
    await run.until(lambda: not run.state.stale)
    assert len(api.asked("list", "services")) == 1


async def test_watch_that_ends_at_once_is_a_failure(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    api.fail(Fault("services", "watch", times=5, ends=True))
    run = await start(settings)
    await run.until(lambda: len(api.asked("watch", "services")) == 6 and not run.state.stale)
    assert len(run.time.slept) >= 4
    assert run.said("the watch ended at once and brought nothing") == 1


async def test_error_event_that_is_no_410(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    line = watch_line("ERROR", {"code": 500, "reason": "InternalError", "message": "etcd leader changed"})
    api.fail(Fault("services", "watch", lines=(line,), ends=True))
    run = await start(settings)
    await run.until(lambda: api.watching() == 3 and not run.state.stale)
    assert run.said("the API server answers 500 InternalError: etcd leader changed") == 1
    assert len(api.asked("list", "services")) == 1


async def test_slow_body(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    api.add(*(service(f"svc-{place}", f"10.96.0.{place}") for place in range(20)))
    api.fail(slow("services"))
    run = await start(settings)
    await run.synced()
    assert run.state.count(Feed.SERVICES) == 20
    assert run.messages == []


BAD_OBJECTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"metadata": None}, "Service ?: metadata.name is missing"),
    ({"metadata": {"name": "bad"}}, "Service bad: metadata.namespace is missing"),
    ({"spec": {"ports": "none"}}, "Service default/bad: spec.ports: Expected array | null, got str"),
    ({"metadata": [], "spec": None}, "Service ?: metadata: Expected object | null, got array"),
)


@pytest.mark.parametrize(("change", "says"), BAD_OBJECTS)
async def test_bad_object_in_a_watch(
    change: dict[str, Any], says: str, api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """Left out, said once; the events behind it are taken."""
    bad = {**service("bad", "10.96.0.9"), **change}
    good = {**service("web", "10.96.0.10")}
    good["metadata"] = {**good["metadata"], "resourceVersion": "1"}
    lines = (
        watch_line("ADDED", bad),
        watch_line("MODIFIED", bad),
        watch_line("NEWS", bad),
        watch_line("ADDED", good),
    )
    api.fail(Fault("services", "watch", lines=lines))
    run = await start(settings)
    await run.until(lambda: run.state.service(WEB))
    assert run.state.count(Feed.SERVICES) == 1
    assert run.messages == [
        f"ADDED: {says}; the event is left out",
        f"MODIFIED: {says}; the event is left out",
        "services: watch event of unknown type 'NEWS'; it is left out",
    ]
    assert run.state.stale == {}


async def test_bad_object_in_a_list(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    api.add({**service("bad"), "spec": 7}, service("web", "10.96.0.10"))
    run = await start(settings)
    await run.synced()
    assert [item.key for item in run.state.services()] == [WEB]
    assert run.messages == [
        "Service default/bad: spec: Expected object | null, got int; the object is left out"
    ]


async def test_bad_address_and_bad_hostname(api: KubeApi, settings: LiveSettings, start: Starter) -> None:
    """Said once each, however often the slice comes."""
    slice_ = slice_of("web", ["10.244.1.5", "10.244.1.300", "10.244.1.7"])
    slice_["endpoints"][2]["hostname"] = "not_a_label"
    api.add(slice_)
    run = await start(settings)
    await run.until(lambda: api.watching() == 3)
    slice_["endpoints"].append({"addresses": ["10.244.1.8"], "hostname": "db-0"})
    api.update(slice_)
    await run.until(lambda: list(run.state.slices_at(bytes((10, 244, 1, 8)))))
    (found,) = run.state.slices_of(WEB)
    assert [(item.address, item.hostname) for item in found.endpoints] == [
        ("10.244.1.5", ""),
        ("10.244.1.7", ""),
        ("10.244.1.8", "db-0"),
    ]
    shown = "EndpointSlice default/web-x1: endpoints"
    assert run.messages == [
        f"{shown}[1]: '10.244.1.300' is no IP address, so it is left out",
        f"{shown}[2].hostname: 'not_a_label' is no DNS label, so its address names it",
    ]


async def test_a_200_that_is_no_list_does_not_empty_the_feed(
    api: KubeApi, settings: LiveSettings, start: Starter
) -> None:
    """A proxy's `{}` has no resourceVersion."""
    api.add(service("web", "10.96.0.10"))
    run: Running = await start(settings)
    await run.until(lambda: api.watching() == 3)
    api.fail(Fault("services", "list", body=b"{}"))
    api.compact(expire_watches=True)
    await run.until(lambda: run.said("list: metadata.resourceVersion: missing") == 1)
    await run.until(lambda: not run.state.stale and api.watching() == 3)
    assert run.state.service(WEB)
