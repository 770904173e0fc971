"""What the labels of a cluster's name mean (cluster-dns-behaviour.md, section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from dnsserver.wire import names

#: The first labels, from the right, below a Service whose names with a topology zone are asked for, and what is to be
#: done where the zone has no endpoint: nothing, or all endpoints (section 11.2).
ZONE_LABEL, PIN, PREFER = b"_zone", b"pin", b"prefer"


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
