"""By which rule a name of the cluster has its records, and of which objects they are made (docs/names.md)."""

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Rule
from dnsserver.explaining.cluster import Subject
from dnsserver.explaining.evidence import Evidence, Place, Whole
from dnsserver.explaining.reverse import reverse_address
from dnsserver.explaining.served import Served
from dnsserver.explaining.services import NAMED_MAX, cluster_ips, is_external, is_headless, is_ready
from dnsserver.zone.policy import PodMode
from dnsserver.zone.reading import Reading
from dnsserver.zone.reverse import is_reverse

#: Names of the zone itself, by the labels left of it.
_FIXED = {
    (): ("apex", "The zone's own records: SOA and NS are made by the server."),
    (b"dns-version",): ("dns-version", "The version of the Kubernetes DNS specification that is followed."),
    (b"ns", b"dns"): ("apex", "The addresses of this server, which the zone's NS record names."),
}


def rule_of(subject: Subject, evidence: Evidence, served: Served) -> Rule | None:
    """The rule for a name that has records; None where none is known."""
    fixed = _FIXED.get(subject.relative)
    if fixed is not None:
        return Rule(*fixed)
    if is_reverse(subject.zone):
        return _reverse(subject, evidence)
    reading = subject.reading
    if reading is None or not reading.service:
        return None
    if reading.kind == "pod":
        return _pod(reading, evidence, served)
    service = evidence.get(subject.kind, reading.namespace, reading.service)
    if service is None:
        return None
    if subject.clusterset:
        return Rule(
            "clusterset", f"{service.place} has the addresses of a set of clusters.", (service.place,)
        )
    return _service(reading, service, evidence, served)


def _service(reading: Reading, service: Whole, evidence: Evidence, served: Served) -> Rule:
    slices = [each for each in evidence.slices_of(service) if served.shows(each)]
    places = (service.place, *(each.place for each in slices[:NAMED_MAX]))
    if is_external(service):
        target = fields.text(service.value, "spec", "externalName")
        return Rule(
            "external-name", f"{service.place} is an alias (type ExternalName) of {target}.", (service.place,)
        )
    if reading.zone:
        return Rule(
            "topology-zone",
            f"The ready endpoints of {service.place} in topology zone {reading.zone}.",
            places,
        )
    if reading.endpoint and not reading.endpoint.startswith("_"):
        return Rule(
            "endpoint",
            f"The ready endpoint {reading.endpoint} of {service.place}.",
            (*places[:1], *_holders(reading.endpoint, slices)),
        )
    if reading.port_name or reading.protocol:
        text = f"Port {reading.port_name or '(any)'}, {reading.protocol.upper()}, of {service.place}"
        return Rule("named-port", f"{text}.", places if is_headless(service) else (service.place,))
    if is_headless(service):
        count = sum(
            map(is_ready, (each for slice_ in slices for each in fields.items(slice_.value, "endpoints")))
        )
        return Rule(
            "headless",
            f"{service.place} is headless: one address for each of its {count} ready endpoints.",
            places,
        )
    return Rule(
        "cluster-ip",
        f"{service.place} has the clusterIP {', '.join(cluster_ips(service)) or '(none)'}, be its pods ready or not.",
        (service.place,),
    )


def _holders(label: str, slices: list[Whole]) -> tuple[Place, ...]:
    """Those of *slices* that have an endpoint of this name, by hostname, pod or address."""
    return tuple(
        each.place
        for each in slices
        if any(label in _labels(endpoint) for endpoint in fields.items(each.value, "endpoints"))
    )


def _labels(endpoint: object) -> set[str]:
    dashed = {text.replace(".", "-").replace(":", "-") for text in fields.texts(endpoint, "addresses")}
    return {
        fields.text(endpoint, "hostname").lower(),
        fields.text(endpoint, "targetRef", "name").lower(),
        *dashed,
    }


def _pod(reading: Reading, evidence: Evidence, served: Served) -> Rule:
    if served.policy.pods is not PodMode.VERIFIED:
        return Rule("pod-address", "pods insecure: the address is the one that the name itself says.")
    pods = [
        pod.place
        for pod in evidence.of("Pod", reading.namespace)
        if fields.text(pod.value, "status", "podIP").replace(".", "-").replace(":", "-") == reading.service
    ]
    return Rule(
        "pod-address", "pods verified: a pod in this namespace has this address.", tuple(pods[:NAMED_MAX])
    )


def _reverse(subject: Subject, evidence: Evidence) -> Rule:
    address = reverse_address(subject.question.name)
    services = [each.place for each in evidence.of("Service") if address in cluster_ips(each)]
    if services:
        return Rule("reverse", f"{services[0]} has the clusterIP {address}.", tuple(services[:1]))
    slices = [
        each.place
        for each in evidence.of("EndpointSlice")
        if any(
            address in fields.texts(endpoint, "addresses")
            for endpoint in fields.items(each.value, "endpoints")
        )
    ]
    return Rule("reverse", f"A ready endpoint has the address {address}.", tuple(slices[:NAMED_MAX]))
