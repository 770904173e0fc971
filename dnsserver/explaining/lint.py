"""Mistakes in manifests that `explain` would name, found without asking."""

import re
from collections.abc import Callable, Iterator

from dnsserver.explaining import fields
from dnsserver.explaining.below import target_of
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.cluster import of_cluster, subject_of
from dnsserver.explaining.evidence import Evidence, Whole
from dnsserver.explaining.finding import SEVERITIES, Finding, Severity, finding, of_cause
from dnsserver.explaining.ports import target_port_missing
from dnsserver.explaining.references import pod_spec, references
from dnsserver.explaining.served import Served
from dnsserver.explaining.services import endpoints_missing, is_external, is_headless, resembles
from dnsserver.explaining.workloads import selecting, service_name_mismatch
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.question import Question

#: Annotation of an object with the codes, separated by commas, that are not to be told of it.
IGNORE_ANNOTATION = "dnsserver/lint-ignore"
#: Characters of a port's name that RFC 6335 section 5.1 allows, and most programs' tables.
PORT_NAME_MAX = 15
#: The API's rule for names of a Service's ports (IsDNS1123Label).
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: Namespaces of these names make `NAME.NAMESPACE` the name of a host outside, for pods with the usual search list.
_TOP_LEVEL = frozenset(
    "app ai com cloud co dev edu eu gov info io local me net org sh svc tech uk us".split()
)
#: In every cluster, whoever made the manifests.
_EVERYWHERE = ("kubernetes.default.svc.",)
#: Causes that a reference may well have when the manifests are not all there is.
_PERHAPS_ELSEWHERE = frozenset({"no-such-namespace", "no-such-service"})
_ALIAS_CAUSES = frozenset(code for code in SEVERITIES if code.startswith("external-name-"))

#: Whether a question has records; None: that hangs on other servers.
Resolves = Callable[[Question], bool | None]


def lint(evidence: Evidence, served: Served, resolves: Resolves) -> list[Finding]:
    """By file and line. What the annotation of an object ignores is left out."""
    found: list[Finding] = []
    for service in evidence.of("Service"):
        found += _of_service(service, evidence, served)
    for workload in evidence.of("StatefulSet"):
        found += _of_stateful_set(workload, evidence)
    for endpoints in evidence.of("Endpoints"):
        found += _of_endpoints(endpoints, evidence)
    for whole in evidence.objects:
        if whole.place.made_by is None and evidence.get(*_key(whole)) is whole:
            found += _of_pods(whole, evidence, served, resolves)
    kept = (each for each in found if each.code not in _ignored(each, evidence))
    return sorted(dict.fromkeys(kept), key=lambda each: (each.place.file, each.place.line, each.code))


def _key(whole: Whole) -> tuple[str, str, str]:
    return whole.place.kind, whole.place.namespace, whole.place.name


def _ignored(each: Finding, evidence: Evidence) -> set[str]:
    whole = evidence.get(each.place.kind, each.place.namespace, each.place.name)
    text = fields.text(whole.value, "metadata", "annotations", IGNORE_ANNOTATION) if whole else ""
    return {code.strip() for code in text.split(",")}


# Services.


def _of_service(service: Whole, evidence: Evidence, served: Served) -> Iterator[Finding]:
    yield from _of_port_names(service)
    if service.namespace in _TOP_LEVEL:
        yield finding(
            "hides-outside-name",
            service.place,
            f"{service.place} is what pods get for {service.name}.{service.namespace}: search lists come before the"
            " name itself.",
            "Give the namespace another name.",
        )
    if is_external(service):
        yield from _of_alias(service, evidence, served)
        return
    empty = endpoints_missing(service, evidence, served)
    if empty is not None and empty.code in SEVERITIES:
        yield from _of_empty(service, empty, evidence)
    missing = target_port_missing(service, evidence)
    if missing is not None:
        yield of_cause(missing, service.place)


def _of_alias(service: Whole, evidence: Evidence, served: Served) -> Iterator[Finding]:
    target = target_of(service)
    severity = None
    if target is not None and _elsewhere(Question(target, Type.A), evidence, served):
        severity = Severity.INFO
    subject = subject_of(Question(_own_name(service, served), Type.A), served)
    causes = of_cluster(subject, evidence, served) if subject is not None else []
    for cause in causes:
        if cause.code in _ALIAS_CAUSES:
            yield of_cause(cause, service.place, severity)


def _elsewhere(question: Question, evidence: Evidence, served: Served) -> bool:
    """Whether a name of the cluster lies in a namespace of which no Service stands in the manifests."""
    subject = subject_of(question, served)
    reading = None if subject is None else subject.reading
    return reading is not None and not evidence.of("Service", reading.namespace)


def _of_empty(service: Whole, cause: Cause, evidence: Evidence) -> Iterator[Finding]:
    """A Service with a clusterIP and no selector has its endpoints from elsewhere, and a workload may keep no pods at
    present. Where no pod is like the selector, they may be made by something that is not in the manifests."""
    if cause.code == "service-without-selector" and not is_headless(service):
        return
    alike = cause.code != "selector-matches-nothing" or any(
        pod.namespace != service.namespace or resembles(service, pod) for pod in _pods_of(cause, evidence)
    )
    yield of_cause(cause, service.place, None if alike else Severity.INFO)


def _pods_of(cause: Cause, evidence: Evidence) -> Iterator[Whole]:
    found = (evidence.get("Pod", each.namespace, each.name) for each in cause.objects if each.kind == "Pod")
    return (pod for pod in found if pod is not None)


def _of_port_names(service: Whole) -> Iterator[Finding]:
    seen: set[str] = set()
    for port in fields.items(service.value, "spec", "ports"):
        name = fields.text(port, "name")
        if name and name in seen:
            yield finding("port-name-twice", service.place, f"{service.place} has two ports called {name}.")
        seen.add(name)
        if name and not _LABEL.fullmatch(name):
            yield finding(
                "port-name-invalid",
                service.place,
                f"Port name {name!r} of {service.place} is no DNS label.",
                "Use at most 63 of a-z, 0-9 and '-'.",
            )
        elif len(name) > PORT_NAME_MAX:
            yield finding(
                "port-name-long",
                service.place,
                f"Port name {name} of {service.place} has more than {PORT_NAME_MAX} characters (RFC 6335), so"
                " containers cannot call a port so.",
            )


def _own_name(service: Whole, served: Served) -> bytes:
    return names.prefix((service.name.encode(), service.namespace.encode(), b"svc")) + served.primary


def _of_endpoints(endpoints: Whole, evidence: Evidence) -> Iterator[Finding]:
    made = [each for each in evidence.slices_of(endpoints) if each.place.made_by is None]
    if not made:
        yield finding(
            "endpoints-deprecated",
            endpoints.place,
            f"{endpoints.place}: the API v1 Endpoints is deprecated since Kubernetes 1.33.",
            "Write an EndpointSlice with the label kubernetes.io/service-name.",
        )


# Pods, and what keeps them.


def _of_stateful_set(workload: Whole, evidence: Evidence) -> Iterator[Finding]:
    mismatch = service_name_mismatch(workload, evidence)
    if mismatch is not None:
        # Nobody can ask for its pods, and no Service is there that somebody may have meant: the API wants the field.
        meant = len(mismatch.objects) > 1 or selecting(workload, evidence)
        yield of_cause(mismatch, workload.place, None if meant else Severity.INFO)
        return
    service = evidence.get("Service", workload.namespace, fields.text(workload.value, "spec", "serviceName"))
    if service is not None and not is_headless(service):
        yield finding(
            "service-not-headless",
            workload.place,
            f"{workload.place} has serviceName {service.name}, which has a clusterIP: other DNS servers than this one"
            " and CoreDNS have no names for its pods.",
            f"Give {service.place} clusterIP: None, or make another Service that has.",
        )


def _of_pods(whole: Whole, evidence: Evidence, served: Served, resolves: Resolves) -> Iterator[Finding]:
    spec = pod_spec(whole)
    if not spec:
        return
    yield from _of_own_names(whole, evidence)
    yield from _of_dns_settings(whole)
    for where, name in references(whole, names.to_text(served.primary)):
        yield from _of_reference(whole, where, name, evidence, served, resolves)
        if fields.flag(spec, "hostNetwork") and fields.text(spec, "dnsPolicy") in ("", "ClusterFirst"):
            yield finding(
                "host-network-dns",
                whole.place,
                f"{whole.place} asks for {name} ({where}), but with hostNetwork it has its node's DNS, which does not"
                " know the cluster.",
                "Set dnsPolicy: ClusterFirstWithHostNet.",
            )
            return


def _of_own_names(whole: Whole, evidence: Evidence) -> Iterator[Finding]:
    spec = pod_spec(whole)
    own, below = fields.text(spec, "hostname"), fields.text(spec, "subdomain")
    if own and not below and whole.place.kind != "StatefulSet":
        yield finding(
            "hostname-without-subdomain",
            whole.place,
            f"{whole.place} sets hostname {own} without subdomain: there is no name of it in DNS.",
            "Set subdomain to the name of a headless Service that selects the pod.",
        )
    service = evidence.get("Service", whole.namespace, below) if below else None
    if below and (service is None or not is_headless(service)):
        there = f"{service.place} is not headless" if service else f"there is no Service {below}"
        yield finding(
            "subdomain-without-service",
            whole.place,
            f"{whole.place} has subdomain {below}, but {there}.",
            "Make a headless Service of this name that selects the pods.",
        )


def _of_dns_settings(whole: Whole) -> Iterator[Finding]:
    spec = pod_spec(whole)
    servers = fields.texts(spec, "dnsConfig", "nameservers")
    if fields.text(spec, "dnsPolicy") == "None" and not servers:
        yield finding(
            "dns-policy-without-servers",
            whole.place,
            f"{whole.place} has dnsPolicy None and no nameservers in dnsConfig: the API refuses it.",
            "Name the servers in dnsConfig.nameservers.",
        )
    for option in fields.items(spec, "dnsConfig", "options"):
        value = fields.text(option, "value")
        if fields.text(option, "name") == "ndots" and not value.isdecimal():
            yield finding(
                "ndots-invalid",
                whole.place,
                f"{whole.place} has the option ndots with the value {value!r}: it has to be a number, as text.",
            )


def _of_reference(
    whole: Whole, where: str, name: str, evidence: Evidence, served: Served, resolves: Resolves
) -> Iterator[Finding]:
    """A name of the cluster that does not resolve. Where nothing of its namespace is in the manifests, or nothing has
    nearly this name, it may come from elsewhere."""
    if name.startswith(_EVERYWHERE):
        return
    try:
        question = Question(names.from_text(name), Type.A)
    except NameTextError:
        return
    if any(resolves(Question(question.name, rtype)) is not False for rtype in (Type.A, Type.AAAA)):
        return
    subject = subject_of(question, served)
    causes = of_cluster(subject, evidence, served) if subject is not None else []
    if not causes:
        return
    cause = causes[0]
    severity = SEVERITIES["reference-not-found"]
    if cause.code in _PERHAPS_ELSEWHERE and _elsewhere(question, evidence, served):
        severity = Severity.INFO
    elif cause.code in _PERHAPS_ELSEWHERE and not cause.objects:
        severity = Severity.WARNING
    yield Finding(
        "reference-not-found",
        severity,
        f"{whole.place} asks for {name} ({where}), which does not resolve. {cause.sentence}",
        whole.place,
        cause.advice,
    )
