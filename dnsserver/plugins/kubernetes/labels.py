"""The metadata that the plugin has of a query, `kubernetes/...` (coredns-compat.md, section 3.6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

from dnsserver.answering.query import Query
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.wire import names
from dnsserver.zone.objects import Pod
from dnsserver.zone.policy import PodMode
from dnsserver.zone.reading import read

#: What a name is told to be that is none of the cluster's (CoreDNS, plugin kubernetes).
INVALID = "invalid query name"


class QueryLabels:
    """*clustersets*: the zones whose names are those of ServiceImports."""

    def __init__(self, answers: StateAnswers, clustersets: Sequence[bytes]) -> None:
        self._answers = answers
        self._clustersets = frozenset(clustersets)

    def of(self, query: Query) -> Mapping[str, Callable[[], str]]:
        """The labels of *query* and their values."""
        found = dict(self._of_client(query))
        zone = self._answers.zone(query.name)
        split = None if zone is None else names.split_at(query.name, zone.origin)
        if zone is None or split is None:
            return found
        clusterset, zonal = zone.origin in self._clustersets, self._answers.policy.zonal
        reading = read(names.labels(split[0] + names.ROOT), clusterset=clusterset, zonal=zonal)
        if reading is None:
            return {**found, "kubernetes/parse-error": lambda: INVALID}
        for field in fields(reading):
            if (field.name == "cluster" and not clusterset) or (field.name == "zone" and not zonal):
                continue
            name = f"kubernetes/{field.name.replace('_', '-')}"
            found[name] = _constant(getattr(reading, field.name))
        return found

    def _of_client(self, query: Query) -> Mapping[str, Callable[[], str]]:
        """Of the pod that asks, where pods are watched."""
        if self._answers.policy.pods is not PodMode.VERIFIED:
            return {}
        pod: Pod | None = self._answers.pod_of(query)
        if pod is None:
            return {}
        return {
            "kubernetes/client-namespace": _constant(pod.key.namespace),
            "kubernetes/client-pod-name": _constant(pod.key.name),
        }


def _constant(text: str) -> Callable[[], str]:
    return lambda: text
