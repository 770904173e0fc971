"""Causes of negative answers at and below the name of a Service that exists and is served."""

from collections.abc import Iterator
from ipaddress import ip_address

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence, Whole
from dnsserver.explaining.nearest import nearest, suggestion
from dnsserver.explaining.ports import target_port_missing, wrong_port
from dnsserver.explaining.served import Served
from dnsserver.explaining.services import (
    NAMED_MAX,
    cluster_ips,
    endpoints_missing,
    is_external,
    is_headless,
    is_ready,
)
from dnsserver.explaining.workloads import endpoint_missing
from dnsserver.wire import names
from dnsserver.wire.codes import Type, type_name
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.question import Question
from dnsserver.zone.addresses import is_ip_address
from dnsserver.zone.objects import Endpoint
from dnsserver.zone.reading import Reading
from dnsserver.zone.slice_targets import endpoint_labels

_VERSIONS: dict[int, int] = {Type.A: 4, Type.AAAA: 6}
#: Characters of URLs, which no host has in its name.
_OF_URLS = frozenset(":/ @")
_FAMILIES = {4: "IPv4", 6: "IPv6"}


def own_name(question: Question, service: Whole, evidence: Evidence, served: Served) -> Iterator[Cause]:
    """At `SERVICE.NAMESPACE.svc`."""
    if is_external(service):
        yield from _alias(question, service)
        return
    empty = endpoints_missing(service, evidence, served)
    if is_headless(service) and empty is not None:
        yield empty
        return
    if served.policy.ignore_empty_service and empty is not None:
        yield Cause(
            "empty-service-ignored",
            f"{service.place} has no ready endpoint, and option ignore empty_service leaves such Services out."
            f" {empty.sentence}",
            empty.objects,
            empty.advice,
        )
        return
    yield _nothing_of_type(question, service, addresses(service, evidence, served), evidence)


def below_service(
    question: Question, reading: Reading, service: Whole, evidence: Evidence, served: Served
) -> Iterator[Cause]:
    """At `_PORT._PROTOCOL.SERVICE…`, `ENDPOINT.SERVICE…` and names with a topology zone."""
    if is_external(service):
        yield Cause(
            "below-external-name",
            f"{service.place} is an ExternalName Service: nothing exists below its name.",
            (service.place,),
            "Ask for the Service itself, or for the name below the target.",
        )
        return
    if reading.endpoint and not reading.endpoint.startswith("_"):
        yield from _endpoint(question, reading.endpoint, service, evidence, served)
        return
    empty = endpoints_missing(service, evidence, served)
    if empty is not None and (is_headless(service) or served.policy.ignore_empty_service):
        yield empty
        return
    if reading.zone:
        yield Cause(
            "no-such-endpoint",
            f"{service.place} has no ready endpoint in topology zone {reading.zone}.",
            (service.place,),
            f"Ask for {service.name}.{service.namespace}.svc, or for {reading.zone}.prefer._zone below it.",
        )
        return
    wrong = (
        wrong_port(reading.port_name, reading.protocol, service, evidence, served)
        if reading.protocol
        else None
    )
    if wrong is not None:
        yield wrong
        return
    yield _nothing_of_type(question, service, addresses(service, evidence, served), evidence)


def addresses(service: Whole, evidence: Evidence, served: Served) -> list[str]:
    """Those that the Service's own name has."""
    if not is_headless(service):
        return list(cluster_ips(service))
    return [address for _, address in endpoints(service, evidence, served)]


def endpoints(service: Whole, evidence: Evidence, served: Served) -> Iterator[tuple[str, str]]:
    """Label (lower case) and address of every ready endpoint."""
    for each in evidence.slices_of(service) if served.endpoints else ():
        if not served.shows(each):
            continue
        for endpoint in fields.items(each.value, "endpoints"):
            if not is_ready(endpoint):
                continue
            hostname = fields.text(endpoint, "hostname")
            pod = fields.text(endpoint, "targetRef", "name")
            for address in fields.texts(endpoint, "addresses"):
                labels = endpoint_labels(Endpoint(address, hostname, pod), served.policy)
                yield ".".join(map(names.label_text, labels)).lower(), address


def records_missing(question: Question, owner: Whole) -> Cause:
    """The name exists, and what is asked for is not there."""
    return Cause(
        "type-not-present",
        f"{owner.place} has no records of type {type_name(question.rtype)} at this name.",
        (owner.place,),
        "Ask for A or AAAA, or for SRV at a named port.",
    )


def _endpoint(
    question: Question, label: str, service: Whole, evidence: Evidence, served: Served
) -> Iterator[Cause]:
    known = dict(endpoints(service, evidence, served))
    found = [address for each, address in endpoints(service, evidence, served) if each == label]
    if found:
        yield _nothing_of_type(question, service, found, evidence)
        return
    cause = endpoint_missing(label, service, evidence)
    if cause is not None:
        yield cause
    empty = endpoints_missing(service, evidence, served)
    if empty is not None:
        yield empty
    elif cause is None:
        more = len(known) - NAMED_MAX
        listed = ", ".join(list(known)[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        unseen = f" ({evidence.unseen['StatefulSet']})" if "StatefulSet" in evidence.unseen else ""
        yield Cause(
            "no-such-endpoint",
            f"{service.place} has no ready endpoint called {label}{unseen}. Those that it has: {listed}.",
            (service.place,),
            suggestion(nearest(label, known)) or "Ask for one of them.",
        )


def _nothing_of_type(question: Question, service: Whole, found: list[str], evidence: Evidence) -> Cause:
    rtype = question.rtype
    version = _VERSIONS.get(rtype)
    versions = sorted({ip_address(text).version for text in found if is_ip_address(text)})
    if version is not None and versions and version not in versions:
        what = "endpoints" if is_headless(service) else "clusterIPs"
        return Cause(
            "family-not-present",
            f"{service.place} has {what} of {_FAMILIES[versions[0]]} only, and {type_name(rtype)} is for"
            f" {_FAMILIES[version]}.",
            (service.place,),
            f"No matter for clients that ask for both. For {_FAMILIES[version]}, set ipFamilyPolicy: PreferDualStack in"
            " the Service of a dual-stack cluster.",
        )
    if version in versions:
        return Cause(
            "not-arrived-yet",
            f"{service.place} has such addresses ({', '.join(found[:NAMED_MAX])}), but the server has answered without"
            " them: it has not learnt of them yet, or follows another cluster.",
            (service.place,),
            "Ask again. If it stays so, see the server's log for lists and watches that fail.",
        )
    if rtype == Type.SRV:
        missing = target_port_missing(service, evidence)
        if missing is not None:
            return missing
    return records_missing(question, service)


def _alias(question: Question, service: Whole) -> Iterator[Cause]:
    target = fields.text(service.value, "spec", "externalName")
    if is_ip_address(target.removesuffix(".")):
        yield Cause(
            "external-name-is-address",
            f"externalName of {service.place} is {target}, an IP address: a CNAME needs a domain name, so the Service"
            " has no records.",
            (service.place,),
            "Use a headless Service without selector and an EndpointSlice with this address.",
        )
    elif set(target) & _OF_URLS or target_of(service) is None:
        yield Cause(
            "external-name-invalid",
            f"externalName of {service.place} is {target!r}: it has to be the name of a host, and nothing else.",
            (service.place,),
            "Write a name such as db.example.com: clients know scheme, port and path.",
        )
    elif question.rtype not in (Type.A, Type.AAAA):
        yield Cause(
            "type-not-present",
            f"{service.place} is an alias of {target}, and no {type_name(question.rtype)} records were found there.",
            (service.place,),
            "Ask for A or AAAA, or ask for the target.",
        )


def target_of(service: Whole) -> bytes | None:
    """The name that an ExternalName Service is an alias of; None when it is none."""
    text = fields.text(service.value, "spec", "externalName")
    try:
        found = names.from_text(text)
    except NameTextError:
        return None
    return None if found == names.ROOT or is_ip_address(text.removesuffix(".")) else found
