"""What tells why the names of a `kubernetes` block are answered as they are; imported when that is first asked."""

from typing import Protocol, runtime_checkable

from dnsserver.explaining.evidence import Evidence, Wanted
from dnsserver.explaining.served import Served
from dnsserver.explaining.slim import slim_evidence
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.policy import RecordPolicy


@runtime_checkable
class Gathering(Protocol):
    """A source that can be asked for whole objects."""

    async def evidence(self, wanted: Wanted) -> Evidence: ...


class ClusterWitness:
    """*source* is what feeds the state; None where that is another process."""

    def __init__(
        self,
        settings: KubernetesSettings,
        state: ClusterState,
        policy: RecordPolicy,
        source: object,
    ) -> None:
        self._settings = settings
        self._state = state
        self._policy = policy
        self._source = source

    @property
    def served(self) -> Served:
        settings = self._settings
        return Served(
            zones=settings.zones,
            primary=settings.primary,
            clustersets=settings.clustersets,
            policy=self._policy,
            labels=settings.labels,
            namespace_labels=settings.namespace_labels,
            endpoints=settings.endpoints,
            standing=self._state.standing,
            waiting_for=tuple(self._state.waiting_for),
        )

    async def evidence(self, wanted: Wanted) -> Evidence:
        """Whole objects from the source; of kinds that it cannot show, what the state has."""
        if isinstance(self._source, Gathering):
            found = await self._source.evidence(wanted)
        else:
            reason = "the source of the objects cannot be asked for them"
            kinds = ("Namespace", "Service", "EndpointSlice", "Pod", "StatefulSet", "ServiceImport")
            found = Evidence((), dict.fromkeys(kinds, reason))
        return found.completed(slim_evidence(self._state, wanted))
