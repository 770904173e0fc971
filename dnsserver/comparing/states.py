"""The state of a cluster as it is now: listed once from its API server, or read from manifests."""

import time
from collections.abc import Sequence
from pathlib import Path

from dnsserver.sources.kubernetes.settings import DEFAULT_FEEDS, LiveSettings
from dnsserver.sources.manifests import ManifestSettings
from dnsserver.zone.cluster import ClusterState


async def listed(settings: LiveSettings) -> ClusterState:
    """List Services, EndpointSlices and Namespaces, and no more. Raises SourceError."""
    # Imported here: the client library takes half a second to import.
    from dnsserver.sources.kubernetes.source import KubernetesSource

    state = ClusterState(DEFAULT_FEEDS, time.time())
    await KubernetesSource(settings, state, now=time.time).list_once()
    return state


async def described(paths: Sequence[Path]) -> ClusterState:
    """What manifests describe, with what a cluster would add. Raises ManifestError."""
    # Imported here: reading YAML and watching folders is of no use to a live cluster.
    from dnsserver.sources.manifests.source import ManifestSource

    state = ClusterState(DEFAULT_FEEDS, time.time())
    await ManifestSource(ManifestSettings(paths=tuple(paths), feeds=DEFAULT_FEEDS), state).load()
    return state
