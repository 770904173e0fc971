"""Causes of negative answers to reverse names (cluster-dns-behaviour.md, section 6)."""

from collections.abc import Iterator
from ipaddress import ip_address

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence, Whole
from dnsserver.explaining.served import Served
from dnsserver.explaining.services import cluster_ips
from dnsserver.wire import names
from dnsserver.wire.codes import Type, type_name
from dnsserver.wire.question import Question
from dnsserver.zone.reverse import address_range


def reverse_address(name: bytes) -> str:
    """The address of a reverse name; "" when it is not that of one address."""
    found = address_range(name.lower())
    return str(ip_address(found.low)) if found is not None and found.low == found.high else ""


def of_reverse_name(question: Question, evidence: Evidence, served: Served) -> Iterator[Cause]:
    address = reverse_address(question.name)
    if not address:
        yield Cause(
            "not-a-reverse-name",
            f"{names.to_text(question.name)} is not the name of one address: it takes four labels of decimal numbers"
            " below in-addr.arpa, or 32 hexadecimal digits below ip6.arpa.",
            advice="dig -x ADDRESS writes it.",
        )
        return
    owners = [*_owners(address, evidence)]
    if owners and question.rtype != Type.PTR:
        yield Cause(
            "type-not-present",
            f"The name exists, but has no records of type {type_name(question.rtype)}.",
            tuple(each.place for each in owners),
            "Ask for PTR.",
        )
        return
    hidden = [each for each in owners if not _shown(each, evidence, served)]
    if hidden:
        yield Cause(
            "namespace-hidden" if served.shows(hidden[0]) else "service-hidden",
            f"{hidden[0].place} has the address {address}, but is not served.",
            tuple(each.place for each in hidden),
            "See options namespaces, namespace_labels and labels.",
        )
        return
    pod = next((each for each in evidence.of("Pod") if _pod_has(each, address)), None)
    note = (
        f" {pod.place} has it: a pod has a PTR record as a ready endpoint of a Service only." if pod else ""
    )
    yield Cause(
        "no-such-address",
        f"No Service has the clusterIP {address}, and no EndpointSlice a ready endpoint there.{note}",
        () if pod is None else (pod.place,),
        "Give the pod a Service." if pod else "See kubectl get services,pods -A -o wide.",
    )


def _owners(address: str, evidence: Evidence) -> Iterator[Whole]:
    yield from (each for each in evidence.of("Service") if address in cluster_ips(each))


def _shown(service: Whole, evidence: Evidence, served: Served) -> bool:
    namespace = evidence.get("Namespace", "", service.namespace)
    return served.shows(service) and served.shows_namespace(service.namespace, namespace)


def _pod_has(pod: Whole, address: str) -> bool:
    return fields.text(pod.value, "status", "podIP") == address
