"""The metadata that the plugin has of a query, `kubernetes/...` (coredns-compat.md, section 3.6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from dnsserver.answering.query import Query
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.wire import names
from dnsserver.zone.objects import Pod
from dnsserver.zone.policy import PodMode
from dnsserver.zone.view import PIN, PREFER, ZONE_LABEL

#: What a name is told to be that is none of the cluster's (CoreDNS, plugin kubernetes).
INVALID = "invalid query name"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the labels of a name left of its zone mean; "" for what the name does not say (section 2)."""

    kind: str = ""
    namespace: str = ""
    service: str = ""
    endpoint: str = ""
    port_name: str = ""
    protocol: str = ""
    cluster: str = ""
    zone: str = ""


def read(labels: Sequence[bytes], *, clusterset: bool, zonal: bool) -> Reading | None:
    """The reading of *labels*, in lower case; None when they are of no name of a cluster."""
    if not labels:
        return Reading()
    kind, *upper = reversed(labels)
    if kind not in (b"svc", b"pod"):
        return None
    if not upper:
        return Reading()
    namespace, service = (*map(names.label_text, upper[:2]), "")[:2]
    known = Reading(names.label_text(kind), namespace, service)
    return _below(known, labels[: max(0, len(labels) - 3)], clusterset=clusterset, zonal=zonal)


def _below(known: Reading, left: Sequence[bytes], *, clusterset: bool, zonal: bool) -> Reading | None:
    """*known* and what *left* says, which stands left of the Service."""
    kind, namespace, service = known.kind, known.namespace, known.service
    texts = [names.label_text(label) for label in left]
    match len(left):
        case 0:
            return known
        case 1:
            return Reading(kind, namespace, service, texts[0])
        case 2 if clusterset and not any(label.startswith(b"_") for label in left):
            return Reading(kind, namespace, service, texts[0], cluster=texts[1])
        case 2:
            port, protocol = (text.removeprefix("_") for text in texts)
            return Reading(kind, namespace, service, port_name=port, protocol=protocol)
    named = zonal and not clusterset and kind == "svc" and left[-1] == ZONE_LABEL
    if not named or left[-2] not in (PIN, PREFER):
        return None
    return Reading(kind, namespace, service, zone=".".join(texts[:-2]))


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
