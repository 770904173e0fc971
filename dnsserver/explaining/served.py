"""What a `kubernetes` block is configured to serve, and how it stands with the cluster."""

from dataclasses import dataclass, field

from dnsserver.explaining.evidence import Selects, Whole
from dnsserver.zone.cluster import Standing
from dnsserver.zone.policy import RecordPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`zones` are wire names in lower case, `primary` the one that PTR records point into, `clustersets` those whose
    names are of ServiceImports. `labels` and `namespace_labels` are the options of these names, `endpoints` is false
    with `noendpoints`. `waiting_for`: the resources that have had no full list yet, by their plural API names."""

    zones: tuple[bytes, ...]
    primary: bytes
    clustersets: tuple[bytes, ...] = ()
    policy: RecordPolicy = field(default_factory=RecordPolicy)
    labels: Selects | None = None
    namespace_labels: Selects | None = None
    endpoints: bool = True
    standing: Standing = field(default_factory=lambda: Standing(0))
    waiting_for: tuple[str, ...] = ()

    def shows(self, found: Whole) -> bool:
        """Whether option `labels` lets *found* through."""
        return self.labels is None or self.labels.matches(found.labels)

    def shows_namespace(self, namespace: str, found: Whole | None) -> bool:
        """Whether names in *namespace* exist, *found* being its object."""
        if self.policy.namespaces and namespace not in self.policy.namespaces:
            return False
        if self.namespace_labels is None or found is None:
            return True
        return self.namespace_labels.matches(found.labels)
