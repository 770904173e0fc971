"""Causes of negative answers to names of pods by address, `10-4-1-32.NAMESPACE.pod` (section 7)."""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence
from dnsserver.explaining.served import Served
from dnsserver.wire.codes import Type, type_name
from dnsserver.wire.question import Question
from dnsserver.zone.pod_names import address_text
from dnsserver.zone.policy import PodMode
from dnsserver.zone.reading import Reading


def of_pod_name(question: Question, reading: Reading, evidence: Evidence, served: Served) -> Iterator[Cause]:
    if served.policy.pods is PodMode.DISABLED:
        yield Cause(
            "pods-disabled",
            "Names of pods by address are off: the kubernetes block has no option pods.",
            advice="Set pods insecure or pods verified in the Corefile, or ask for the pod below its Service.",
        )
        return
    if not reading.service:
        yield _nothing(question)
        return
    if reading.endpoint or reading.port_name or reading.protocol:
        yield Cause(
            "too-many-labels",
            "Nothing exists below the name of a pod by address.",
            advice="Ask for ADDRESS.NAMESPACE.pod.",
        )
        return
    text = address_text(reading.service)
    version = _version(text)
    if version is None:
        yield _malformed(reading, evidence)
        return
    pods = evidence.of("Pod", reading.namespace)
    verified = served.policy.pods is PodMode.VERIFIED
    if verified and not any(fields.text(pod.value, "status", "podIP") == text for pod in pods):
        elsewhere = [pod for pod in evidence.of("Pod") if fields.text(pod.value, "status", "podIP") == text]
        hint = f" {elsewhere[0].place} has it." if elsewhere else ""
        yield Cause(
            "no-pod-with-address",
            f"No pod in namespace {reading.namespace} has the address {text} (pods verified).{hint}",
            tuple(pod.place for pod in elsewhere[:1]),
            f"Ask for {reading.service}.{elsewhere[0].namespace}.pod."
            if elsewhere
            else "See kubectl get pods -o wide.",
        )
        return
    yield _nothing(question, version)


def _malformed(reading: Reading, evidence: Evidence) -> Cause:
    pod = evidence.get("Pod", reading.namespace, reading.service)
    hint = f" {pod.place} is a pod's name; below pod stand addresses." if pod else ""
    return Cause(
        "malformed-pod-name",
        f"{reading.service} is no IP address written with dashes, such as 10-4-1-32 or fd00-10--4.{hint}",
        () if pod is None else (pod.place,),
        "Write the dots or colons of the pod's address as dashes.",
    )


def _nothing(question: Question, version: int = 0) -> Cause:
    if version and question.rtype in (Type.A, Type.AAAA):
        return Cause(
            "family-not-present",
            f"The address in the name is of IPv{version}, and {type_name(question.rtype)} is for the other family.",
            advice="No matter for clients that ask for both.",
        )
    return Cause(
        "type-not-present",
        f"The name exists, but has no records of type {type_name(question.rtype)}.",
        advice="Names of pods have A or AAAA records.",
    )


def _version(text: str) -> int | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return 4 if isinstance(found, IPv6Address) and found.ipv4_mapped else found.version
