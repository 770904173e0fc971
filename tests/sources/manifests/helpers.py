"""Folders of manifests, and what the state holds after they were loaded."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dnsserver.sources.manifests import ManifestSettings
from dnsserver.sources.manifests.source import ManifestSource
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import EndpointSlice, Feed, ObjectKey

#: Seconds that a change on disk may take to be served.
SERVED_WITHIN_S = 1.0


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def source_of(*paths: Path, **options: Any) -> tuple[ManifestSource, ClusterState]:
    settings = ManifestSettings(paths=paths, **options)
    state = ClusterState(settings.feeds, 1.0)
    return ManifestSource(settings, state, now=time.time), state


async def load(folder: Path, files: Mapping[str, str] | str, **options: Any) -> ClusterState:
    """The state after loading *files* (or one file of that text) from *folder*."""
    write(folder, {"all.yaml": files} if isinstance(files, str) else files)
    source, state = source_of(folder, **options)
    await source.load()
    assert state.synced
    return state


def services(state: ClusterState) -> dict[str, tuple[str, ...]]:
    """clusterIPs by `namespace/name`."""
    return {"/".join(item.key): item.cluster_ips for item in state.services()}


def slices(state: ClusterState, name: str, namespace: str = "default") -> list[EndpointSlice]:
    return state.slices_of(ObjectKey(namespace, name))


def endpoints(state: ClusterState, name: str, namespace: str = "default") -> list[tuple[str, str, str]]:
    """(address, hostname, pod) of a Service's ready endpoints, sorted."""
    found = [item for each in slices(state, name, namespace) for item in each.endpoints]
    return sorted((item.address, item.hostname, item.pod_name) for item in found)


def ports(state: ClusterState, name: str) -> list[list[tuple[str, str, int]]]:
    return [[(port.name, port.protocol, port.number) for port in each.ports] for each in slices(state, name)]


def pods(state: ClusterState) -> dict[str, str]:
    """Addresses of pods by `namespace/name`."""
    held = {item.key: item for item in state._tables.objects(Feed.PODS)}
    return {"/".join(key): getattr(item, "ip", "") for key, item in sorted(held.items())}


def everything(state: ClusterState) -> dict[Feed, dict[ObjectKey, object]]:
    return {feed: {item.key: item for item in state._tables.objects(feed)} for feed in Feed}


@asynccontextmanager
async def running(source: ManifestSource) -> AsyncIterator[None]:
    """*source* loaded and following."""
    await source.load()
    async with following(source):
        yield


@asynccontextmanager
async def following(source: ManifestSource) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run())
    await asyncio.sleep(0.15)  # so that a test sees the watch, not the comparison at its start
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition* no longer than a change may take."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < SERVED_WITHIN_S, "not served within a second"
        await asyncio.sleep(0.01)


def service(name: str, spec: str = "", namespace: str = "", labels: str = "") -> str:
    """A Service manifest; *spec* is what stands in `spec: {...}`."""
    where = f", namespace: {namespace}" if namespace else ""
    marks = f", labels: {{{labels}}}" if labels else ""
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}{where}{marks}}}\nspec: {{{spec}}}\n"


def pod(name: str, labels: str = "app: web", status: str = "", spec: str = "", meta: str = "") -> str:
    more = f", {meta}" if meta else ""
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{{labels}}}{more}}}\n"
        f"spec: {{{spec}}}\nstatus: {{{status}}}\n"
    )


def workload(kind: str, name: str = "web", spec: str = "replicas: 3", template: str = "", **more: str) -> str:
    """A workload whose pods have the label `app: NAME`. *more*: `meta`, `status`."""
    api = {"Job": "batch/v1", "ReplicationController": "v1"}.get(kind, "apps/v1")
    meta = f", {more['meta']}" if "meta" in more else ""
    return (
        f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}{meta}}}\n"
        f"spec: {{{spec}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{{template}}}}}}}\n"
        f"status: {{{more.get('status', '')}}}\n"
    )


def joined(*documents: str) -> str:
    return "---\n".join(documents)
