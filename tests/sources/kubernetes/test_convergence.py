"""Whatever happens in the cluster, the state becomes what the cluster is: against the API server for tests, and
against a real kube-apiserver and etcd when KUBEBUILDER_ASSETS names a folder that holds them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from dnsserver.sources import selectors
from dnsserver.sources.kubernetes.reflector import Limits
from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.testing.kube_api import KubeApi, namespace, pod, service, slice_of
from dnsserver.zone.objects import EndpointSlice, Feed, ObjectKey, ServiceType
from tests.sources.kubernetes.conftest import HandTime, Running, Starter, eventually
from tests.support.kube_api.real import RealKubeApi, assets_folder

KINDS_OF_SERVER = ["fake"] if assets_folder() is None else ["fake", "kube-apiserver"]
#: Seconds of real time: a real API server needs some to come back.
PATIENCE_S = 30.0
#: All that every API server has; ServiceImports are an extension.
ALL_FEEDS = frozenset(Feed) - {Feed.SERVICE_IMPORTS}
NAMES = (f"ns-{number}" for number in count())


class Cluster(Protocol):
    """What the tests do to either server."""

    def settings(self, **more: Any) -> LiveSettings: ...
    async def add(self, *objects: Mapping[str, Any]) -> None: ...
    async def update(self, *objects: Mapping[str, Any]) -> None: ...
    async def set_status(self, obj: Mapping[str, Any]) -> None: ...
    async def delete(self, *objects: Mapping[str, Any]) -> None: ...
    async def restart(self) -> None: ...
    async def compact(self) -> None: ...


class FakeCluster:
    def __init__(self, api: KubeApi) -> None:
        self.api = api

    def settings(self, **more: Any) -> LiveSettings:
        return LiveSettings(endpoint=self.api.url, **more)

    async def add(self, *objects: Mapping[str, Any]) -> None:
        self.api.add(*objects)

    async def update(self, *objects: Mapping[str, Any]) -> None:
        self.api.update(*objects)

    async def set_status(self, obj: Mapping[str, Any]) -> None:
        self.api.update(obj)

    async def delete(self, *objects: Mapping[str, Any]) -> None:
        self.api.delete(*objects)

    async def restart(self) -> None:
        await self.api.stop()
        await self.api.start()

    async def compact(self) -> None:
        self.api.compact()


class RealCluster(RealKubeApi):
    def settings(self, **more: Any) -> LiveSettings:
        return LiveSettings(kubeconfig=self.kubeconfig(), **more)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], RealCluster]]:
    """The real server, begun with the first test that wants it."""
    begun: list[RealCluster] = []

    def begin() -> RealCluster:
        if not begun:
            begun.append(RealCluster(assets_folder() or Path(), tmp_path_factory.mktemp("real")))
            begun[0].begin()
        return begun[0]

    yield begin
    for cluster in begun:
        cluster.end()


@pytest.fixture(params=KINDS_OF_SERVER)
def cluster(request: pytest.FixtureRequest, api: KubeApi, real: Callable[[], RealCluster]) -> Cluster:
    return FakeCluster(api) if request.param == "fake" else real()


@pytest.fixture
async def ns(cluster: Cluster) -> str:
    """A namespace of the test's own."""
    name = next(NAMES)
    await cluster.add(namespace(name))
    return name


@dataclass(frozen=True, slots=True)
class View:
    """What a state holds of one namespace."""

    run: Running
    ns: str

    def services(self) -> dict[str, tuple[ServiceType, tuple[int, ...], str]]:
        return {
            item.key.name: (item.type, tuple(port.number for port in item.ports), item.external_name)
            for item in self.run.state.services()
            if item.key.namespace == self.ns
        }

    def slices(self, name: str) -> list[EndpointSlice]:
        return self.run.state.slices_of(ObjectKey(self.ns, name))

    def addresses(self, name: str) -> set[str]:
        return {item.address for piece in self.slices(name) for item in piece.endpoints}

    async def until(self, condition: Callable[[], object]) -> None:
        await eventually(condition, lambda: f"{self.run.source!r} {self.run.messages}", PATIENCE_S)


HEADLESS = (ServiceType.CLUSTER_IP, (80,), "")


async def test_what_was_there_before(cluster: Cluster, ns: str, start: Starter) -> None:
    await cluster.add(
        service("web", namespace=ns),
        service(
            "ext",
            namespace=ns,
            type="ExternalName",
            externalName="db.example.com",
            clusterIP="",
            clusterIPs=[],
        ),
        slice_of("web", ["10.0.0.1", "10.0.0.2"], namespace=ns),
        slice_of("web", ["fd00::1"], name="web-v6", namespace=ns),
    )
    run = await start(cluster.settings())
    view = View(run, ns)
    await view.until(lambda: run.state.synced)
    assert view.services() == {"web": HEADLESS, "ext": (ServiceType.EXTERNAL_NAME, (80,), "db.example.com")}
    assert view.addresses("web") == {"10.0.0.1", "10.0.0.2", "fd00::1"}
    assert run.state.has_namespace(ns)
    assert run.messages == []


async def test_adds_updates_and_deletes(cluster: Cluster, ns: str, start: Starter) -> None:
    run = await start(cluster.settings())
    view = View(run, ns)
    await view.until(lambda: run.state.synced)
    await cluster.add(service("web", namespace=ns), slice_of("web", ["10.0.0.1"], namespace=ns))
    await view.until(lambda: view.services() == {"web": HEADLESS} and view.addresses("web") == {"10.0.0.1"})
    await cluster.update(
        service("web", namespace=ns, ports=[("http", 81)]), slice_of("web", ["10.0.0.2"], namespace=ns)
    )
    await view.until(lambda: view.services() == {"web": (ServiceType.CLUSTER_IP, (81,), "")})
    await view.until(lambda: view.addresses("web") == {"10.0.0.2"})
    unready = slice_of("web", ["10.0.0.2"], namespace=ns)
    unready["endpoints"][0]["conditions"] = {"ready": False}
    await cluster.update(unready)
    await view.until(lambda: view.addresses("web") == set())
    await cluster.delete(service("web", namespace=ns), unready)
    await view.until(lambda: view.services() == {} and view.slices("web") == [])
    assert run.messages == []


async def test_pods(cluster: Cluster, ns: str, start: Starter) -> None:
    run = await start(cluster.settings(feeds=ALL_FEEDS))
    view = View(run, ns)
    await view.until(lambda: run.state.synced)
    await cluster.add(pod("a", "10.0.7.1", namespace=ns), pod("b", "10.0.7.2", namespace=ns))
    await view.until(lambda: run.state.pods_at("10.0.7.1") and run.state.pods_at("10.0.7.2"))
    await cluster.set_status(pod("a", "10.0.7.1", namespace=ns, phase="Succeeded"))
    await view.until(lambda: not run.state.pods_at("10.0.7.1"))
    await cluster.delete(pod("b", "10.0.7.2", namespace=ns))
    await view.until(lambda: not run.state.pods_at("10.0.7.2"))


async def test_label_selector(cluster: Cluster, ns: str, start: Starter) -> None:
    chosen = f"run={ns},!hidden"
    await cluster.add(
        service("in", namespace=ns, labels={"run": ns}),
        service("hidden", namespace=ns, labels={"run": ns, "hidden": ""}),
        service("out", namespace=ns),
    )
    run = await start(cluster.settings(labels=selectors.parse(chosen)))
    view = View(run, ns)
    await view.until(lambda: run.state.synced)
    assert set(view.services()) == {"in"}
    await cluster.update(service("in", namespace=ns, labels={"run": "no"}))
    await cluster.update(service("out", namespace=ns, labels={"run": ns}))
    await view.until(lambda: set(view.services()) == {"out"})


async def test_pages(cluster: Cluster, ns: str, start: Starter) -> None:
    names = {f"svc-{place}" for place in range(45)}
    await cluster.add(*(service(name, namespace=ns) for name in sorted(names)))
    run = await start(cluster.settings(), limits=Limits(page_objects=10))
    view = View(run, ns)
    await view.until(lambda: run.state.synced)
    assert set(view.services()) == names


async def test_compaction_between_two_pages(cluster: Cluster, ns: str, start: Starter) -> None:
    """The continue token has expired when the next page is asked for: the list starts over."""
    await cluster.add(*(service(f"svc-{place}", namespace=ns) for place in range(6)))
    time = HandTime(hold=True)
    run = await start(cluster.settings(qps=1, burst=3), limits=Limits(page_objects=2), time=time)
    view = View(run, ns)
    await view.until(lambda: time.sleepers)
    await cluster.add(service("late", namespace=ns))
    await cluster.delete(service("svc-0", namespace=ns))
    await cluster.compact()
    time.hold = False
    time.wake()
    await view.until(lambda: run.state.synced)
    await view.until(lambda: set(view.services()) == {"late", *(f"svc-{place}" for place in range(1, 6))})


async def test_restart_and_changes_meanwhile(cluster: Cluster, ns: str, start: Starter) -> None:
    """While the server is away nothing is lost; afterwards what vanished is dropped."""
    await cluster.add(service("stays", namespace=ns), service("goes", namespace=ns))
    time = HandTime(hold=True)
    run = await start(cluster.settings(), time=time)
    view = View(run, ns)
    await view.until(lambda: set(view.services()) == {"stays", "goes"})
    await cluster.restart()
    assert set(view.services()) >= {"stays"}
    await cluster.delete(service("goes", namespace=ns))
    await cluster.add(service("comes", namespace=ns))
    await cluster.compact()
    time.hold = False
    time.wake()
    await view.until(lambda: set(view.services()) == {"stays", "comes"} and not run.state.stale)
    await cluster.delete(service("stays", namespace=ns))
    await view.until(lambda: set(view.services()) == {"comes"})
