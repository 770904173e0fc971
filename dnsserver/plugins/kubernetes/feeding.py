"""Keeping the cluster's state fed: which source, started before the sockets open, watched while they are."""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from dnsserver.config import ConfigError
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.plugins.plugin import Source, SourceFactory
from dnsserver.sources.kubernetes.metering import Meter
from dnsserver.sources.manifests.settings import ManifestError, ManifestSettings
from dnsserver.sources.objects import SliceParts
from dnsserver.store.keeping import Kept
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed, Identity
from dnsserver.zone.policy import PodMode

#: Seconds. How often the start looks whether the state is synced, and how often it says that it waits (section 13).
POLL_INTERVAL_S, REPORT_INTERVAL_S = 0.1, 0.5
#: Seconds. Pause before a source that failed in a way that it should not is started again.
RESTART_PAUSE_S = 5.0
#: It brings the client of the API server with it: half a second, and 24 MiB.
LIVE_SOURCE = "dnsserver.sources.kubernetes.source"

LOG = logging.getLogger("dnsserver.plugin.kubernetes")


def feeds(settings: KubernetesSettings) -> frozenset[Feed]:
    """What has to be watched for these settings, and no more: every watch is an RBAC rule (section 13)."""
    needed = {Feed.SERVICES, Feed.NAMESPACES}
    if settings.endpoints or settings.multicluster:
        needed.add(Feed.ENDPOINT_SLICES)
    if settings.multicluster:
        needed.add(Feed.SERVICE_IMPORTS)
    if settings.pods is PodMode.VERIFIED:
        needed.add(Feed.PODS)
    return frozenset(needed)


def slice_parts(settings: KubernetesSettings) -> SliceParts:
    """What has to be kept of EndpointSlices."""
    return SliceParts(settings.endpoints, bool(settings.multicluster), settings.zonal)


@contextlib.asynccontextmanager
async def fed(
    kept: Kept,
    settings: KubernetesSettings,
    now: Callable[[], float],
    factory: SourceFactory | None = None,
) -> AsyncIterator[None]:
    """Run the source for *settings* (or that of *factory*) inside the context.

    Entered once the state is synced, be it by an earlier run, or has had its time. Raises ConfigError when the source
    cannot work as it is configured.
    """
    make = factory or source_factory(settings, now)
    async with kept.writing() as lost:
        feeding = _Feeding(kept, lambda: make(kept.state, feeds(settings)), lost)
        if not feeding.started:
            # Before anything else, as it may say that it cannot work; what an earlier run left can be served meanwhile.
            await feeding.prepare()
        task = asyncio.create_task(feeding.run(), name="kubernetes source")
        try:
            await _synced(kept, settings.startup_timeout_s, task)
            feeding.started = True
            kept.publish()  # whoever starts now begins with all of it
            yield
        finally:
            task.cancel()
            # What the task failed with has been raised by `_synced`; asyncio.wait leaves it alone.
            await asyncio.wait((task,))


def source_factory(
    settings: KubernetesSettings, now: Callable[[], float], meter: Meter | None = None
) -> SourceFactory:
    """What makes the source that *settings* name; *meter* is told of the traffic with an API server."""

    async def manifests(state: ClusterState, _: frozenset[Feed]) -> Source:
        return await loaded_manifests(state, settings, now)

    async def live(state: ClusterState, _: frozenset[Feed]) -> Source:
        # In a thread: it takes half a second, and the probes of a server that has a state to serve go on.
        await asyncio.to_thread(importlib.import_module, LIVE_SOURCE)
        return _live_source(state, settings, now, meter)

    return manifests if settings.manifests else live


@runtime_checkable
class Placing(Protocol):
    """A source that knows where its objects stand."""

    def places(self) -> Mapping[Identity, str]: ...


class MadeSource:
    """The source that feeds a state, once there is one."""

    def __init__(self) -> None:
        self.source: Source | None = None

    def remembering(self, factory: SourceFactory) -> SourceFactory:
        """*factory*, with what it makes remembered."""

        async def make(state: ClusterState, wanted: frozenset[Feed]) -> Source:
            self.source = source = await factory(state, wanted)
            return source

        return make

    def places(self) -> Mapping[Identity, str]:
        """Where each object stands, as `FILE:LINE`, for those that stand in files."""
        return self.source.places() if isinstance(self.source, Placing) else {}


async def loaded_manifests(
    state: ClusterState, settings: KubernetesSettings, now: Callable[[], float]
) -> Source:
    """The manifests source with its first load done. Raises ConfigError."""
    # Imported here: reading YAML and watching folders is of no use to a live cluster.
    from dnsserver.sources.manifests.source import ManifestSource

    try:
        source = ManifestSource(
            ManifestSettings(
                paths=settings.manifests,
                feeds=feeds(settings),
                parts=slice_parts(settings),
                label_selector=settings.labels.text if settings.labels else "",
                namespace_selector=settings.namespace_labels.text if settings.namespace_labels else "",
                families=settings.ip_families,
                pod_ranges=settings.pod_ranges,
                service_ranges=settings.service_ranges,
            ),
            state,
            now=now,
            log=LOG,
        )
        await source.load()
    except ManifestError as error:
        raise ConfigError(f"plugin/kubernetes: {error}") from None
    return source


def _live_source(
    state: ClusterState, settings: KubernetesSettings, now: Callable[[], float], meter: Meter | None
) -> Source:
    # Imported here: the client takes half a second to import, and manifests do without it.
    from dnsserver.sources.kubernetes.source import KubernetesSource

    live = replace(
        settings.access,
        labels=settings.labels,
        namespace_labels=settings.namespace_labels,
        feeds=feeds(settings),
        parts=slice_parts(settings),
    )
    return KubernetesSource(live, state, now=now, log=LOG, meter=meter)


class _Feeding:
    """A source, kept running. It ends by being cancelled, or at the start by not being able to work. If it fails later
    all the same, what it fed goes on being served, marked stale."""

    def __init__(self, kept: Kept, make: Callable[[], Awaitable[Source]], lost: asyncio.Event) -> None:
        """*lost* is set when changes have been lost on the way, so that the source has to list anew."""
        self._state = kept.state
        self._make = make
        self._lost = lost
        self._source: Source | None = None
        self.started = _complete(kept)

    async def prepare(self) -> None:
        self._source = await self._make()

    async def run(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception as error:
                if not self.started:
                    raise
                self._tell(error)
                for feed in self._state.feeds:
                    self._state.mark_stale(feed, "the source failed")
            await asyncio.sleep(RESTART_PAUSE_S)

    def _tell(self, error: Exception) -> None:
        """What the operator can mend is one line; anything else is a bug, and has its stack."""
        from dnsserver.sources.kubernetes.credentials import SourceError

        text = "the source failed; its last state is served, a new try in %g s"
        if isinstance(error, ConfigError | SourceError | ManifestError):
            LOG.error(text + ": %s", RESTART_PAUSE_S, error)
        else:
            LOG.error(text, RESTART_PAUSE_S, exc_info=error)

    async def _follow(self) -> None:
        """Until the source fails or ends, or has to begin anew."""
        if self._source is None:
            self._source = await self._make()
        running = asyncio.create_task(self._source.run(), name="kubernetes source, one run")
        losing = asyncio.create_task(self._lost.wait(), name="lost changes")
        try:
            await asyncio.wait((running, losing), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                self._lost.clear()
                self._source = None
                return
            self._source = None
            running.result()
        finally:
            for task in (running, losing):
                task.cancel()
            await asyncio.wait((running, losing))


def _complete(kept: Kept) -> bool:
    """Whether there is nothing to wait for."""
    return kept.state.synced and not (kept.patient and kept.state.restored)


async def _synced(kept: Kept, timeout_s: float, source: asyncio.Task[None]) -> None:
    """Wait for the first full lists, *timeout_s* at most."""
    state = kept.state
    loop = asyncio.get_running_loop()
    begun = loop.time()
    report_at = begun + REPORT_INTERVAL_S
    while not _complete(kept):
        now = loop.time()
        if now - begun >= timeout_s:
            waiting = ", ".join(state.waiting_for) or "anything; what was known before is served"
            LOG.warning("starting server with unsynced Kubernetes API: no full list yet of %s", waiting)
            return
        if now >= report_at:
            LOG.info("waiting for Kubernetes API before starting server")
            report_at = now + REPORT_INTERVAL_S
        done, _ = await asyncio.wait((source,), timeout=min(POLL_INTERVAL_S, timeout_s))
        if done:
            _explain(source)


def _explain(source: asyncio.Task[None]) -> None:
    """Raise what ended *source*: a ConfigError when it is something that the operator can mend."""
    from dnsserver.sources.kubernetes.credentials import SourceError

    try:
        source.result()
    except SourceError as error:
        raise ConfigError(f"plugin/kubernetes: {error}") from None
