"""Keeping the cluster's state fed: which source, started before the sockets open, watched while they are."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from dnsserver.config import ConfigError
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.plugins.plugin import Source, SourceFactory
from dnsserver.sources.manifests.settings import ManifestError, ManifestSettings
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed
from dnsserver.zone.policy import PodMode

#: Seconds. How often the start looks whether the state is synced, and how often it says that it waits (section 13).
POLL_INTERVAL_S, REPORT_INTERVAL_S = 0.1, 0.5
#: Seconds. Pause before a source that failed in a way that it should not is started again.
RESTART_PAUSE_S = 5.0

LOG = logging.getLogger("dnsserver.plugin.kubernetes")


def feeds(settings: KubernetesSettings) -> frozenset[Feed]:
    """What has to be watched for these settings, and no more: every watch is an RBAC rule (section 13)."""
    needed = {Feed.SERVICES, Feed.NAMESPACES}
    if settings.endpoints:
        needed.add(Feed.ENDPOINT_SLICES)
    if settings.pods is PodMode.VERIFIED:
        needed.add(Feed.PODS)
    return frozenset(needed)


@contextlib.asynccontextmanager
async def fed(
    state: ClusterState,
    settings: KubernetesSettings,
    now: Callable[[], float],
    factory: SourceFactory | None = None,
) -> AsyncIterator[None]:
    """Run the source for *settings* (or that of *factory*) inside the context.

    Entered once the state is synced, or has had its time. Raises ConfigError when the source cannot work as it is
    configured.
    """
    source = await (factory or source_factory(settings, now))(state, feeds(settings))
    started = asyncio.Event()
    task = asyncio.create_task(_kept_running(source, state, started), name="kubernetes source")
    try:
        await _synced(state, settings.startup_timeout_s, task)
        started.set()
        yield
    finally:
        task.cancel()
        # What the task failed with has been raised by `_synced`; asyncio.wait leaves it alone.
        await asyncio.wait((task,))


def source_factory(settings: KubernetesSettings, now: Callable[[], float]) -> SourceFactory:
    """What makes the source that *settings* name."""

    async def manifests(state: ClusterState, _: frozenset[Feed]) -> Source:
        return await loaded_manifests(state, settings, now)

    async def live(state: ClusterState, _: frozenset[Feed]) -> Source:
        return _live_source(state, settings, now)

    return manifests if settings.manifests else live


async def loaded_manifests(
    state: ClusterState, settings: KubernetesSettings, now: Callable[[], float]
) -> Source:
    """The manifests source with its first load done. Raises ConfigError."""
    # Imported here: reading YAML and watching folders is of no use to a live cluster.
    from dnsserver.sources.manifests import ManifestSource

    try:
        source = ManifestSource(
            ManifestSettings(
                paths=settings.manifests,
                feeds=feeds(settings),
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


def _live_source(state: ClusterState, settings: KubernetesSettings, now: Callable[[], float]) -> Source:
    # Imported here: the client takes half a second to import, and manifests do without it.
    from dnsserver.sources.kubernetes.source import KubernetesSource

    live = replace(
        settings.access,
        labels=settings.labels,
        namespace_labels=settings.namespace_labels,
        feeds=feeds(settings),
    )
    return KubernetesSource(live, state, now=now, log=LOG)


async def _kept_running(source: Source, state: ClusterState, started: asyncio.Event) -> None:
    """A source ends by being cancelled, or at the start by not being able to work. If it fails later all the same,
    what it fed goes on being served, marked stale."""
    while True:
        try:
            await source.run()
        except Exception:
            if not started.is_set():
                raise
            LOG.exception("the source failed; its last state is served, a new try in %g s", RESTART_PAUSE_S)
            for feed in state.feeds:
                state.mark_stale(feed, "the source failed")
        await asyncio.sleep(RESTART_PAUSE_S)


async def _synced(state: ClusterState, timeout_s: float, source: asyncio.Task[None]) -> None:
    """Wait for the first full lists, *timeout_s* at most."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    report_at = begun + REPORT_INTERVAL_S
    while not state.synced:
        now = loop.time()
        if now - begun >= timeout_s:
            waiting = ", ".join(state.waiting_for)
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
