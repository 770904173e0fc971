"""The Kubernetes API as the source of the cluster state: one reflector per feed."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dnsserver.sources.kubernetes.client import ApiServer
from dnsserver.sources.kubernetes.metering import Meter
from dnsserver.sources.kubernetes.pacing import Timing
from dnsserver.sources.kubernetes.reflector import Limits, Reflector
from dnsserver.sources.kubernetes.resources import resources
from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed

if TYPE_CHECKING:
    from dnsserver.explaining.evidence import Evidence, Wanted

LOG = logging.getLogger("dnsserver.kubernetes")


class KubernetesSource:
    """Feeds *state* from the API server that *settings* name.

    Each feed is followed on its own: one that is not allowed or not there leaves the others alone.
    """

    def __init__(
        self,
        settings: LiveSettings,
        state: ClusterState,
        *,
        now: Callable[[], float],
        log: logging.Logger = LOG,
        timing: Timing | None = None,
        limits: Limits | None = None,
        environ: Mapping[str, str] | None = None,
        meter: Meter | None = None,
    ) -> None:
        """*now* gives Unix seconds; *environ* stands for the process's environment."""
        timing, limits = timing or Timing(), limits or Limits()
        self.api = ApiServer(settings, timing, environ, meter)
        self._imports = Feed.SERVICE_IMPORTS in settings.feeds
        self.reflectors = [
            Reflector(resource, self.api, state, now=now, log=log, timing=timing, limits=limits, meter=meter)
            for resource in resources(settings)
        ]

    @property
    def lists_total(self) -> int:
        """Lists taken over whole, of all feeds; by feed they are in `reflectors`, as all these counters."""
        return sum(reflector.lists_total for reflector in self.reflectors)

    @property
    def watches_total(self) -> int:
        """Watches that the API server took up, of all feeds."""
        return sum(reflector.watches_total for reflector in self.reflectors)

    @property
    def events_total(self) -> dict[Feed, int]:
        """Events of watches that were read, bookmarks and errors included."""
        return {reflector.feed: reflector.events_total for reflector in self.reflectors}

    @property
    def failures_total(self) -> dict[Feed, int]:
        """Lists and watches that ended otherwise than they should, a 410 included."""
        return {reflector.feed: reflector.failures_total for reflector in self.reflectors}

    def __repr__(self) -> str:
        return f"<KubernetesSource {self.api!r} {self.reflectors!r}>"

    async def evidence(self, wanted: "Wanted") -> "Evidence":
        """What the API server has of *wanted*, asked for now."""
        # Imported here: a server does without it until something is to be explained.
        from dnsserver.sources.kubernetes.evidence import api_evidence

        return await api_evidence(self.api, wanted, imports=self._imports)

    async def run(self) -> None:
        """Until cancelled; SourceError when the settings cannot be used at all."""
        await self.api.connect()
        try:
            async with asyncio.TaskGroup() as group:
                for reflector in self.reflectors:
                    group.create_task(reflector.run(), name=reflector.name)
        finally:
            await self.api.close()

    async def list_once(self) -> None:
        """Bring *state* to what the API server has now, with `list` alone. Raises SourceError."""
        await self.api.connect()
        try:
            for reflector in self.reflectors:
                await reflector.list_once()
        finally:
            await self.api.close()
