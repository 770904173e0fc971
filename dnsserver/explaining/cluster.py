"""Causes of negative answers to names of the cluster's zone (cluster-dns-behaviour.md, sections 2 to 9)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from dnsserver.answering.lookup import CHAIN_MAX
from dnsserver.explaining import fields
from dnsserver.explaining.below import below_service, own_name, records_missing, target_of
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence, Place, Wanted, Whole
from dnsserver.explaining.misread import another_zone, completed, of_strange_labels, search_list
from dnsserver.explaining.nearest import nearest, suggestion
from dnsserver.explaining.pod_names import of_pod_name
from dnsserver.explaining.reverse import of_reverse_name, reverse_address
from dnsserver.explaining.served import Served
from dnsserver.explaining.services import is_external
from dnsserver.wire import names
from dnsserver.wire.codes import type_name
from dnsserver.wire.question import Question
from dnsserver.zone.pod_names import address_text
from dnsserver.zone.reading import Reading, read
from dnsserver.zone.reverse import is_reverse


@dataclass(frozen=True, slots=True)
class Subject:
    """A name in a zone of the cluster. `relative` are its labels left of *zone*, in lower case."""

    question: Question
    zone: bytes
    relative: tuple[bytes, ...]
    reading: Reading | None
    clusterset: bool = False

    @property
    def text(self) -> str:
        return names.to_text(self.question.name)

    @property
    def zone_text(self) -> str:
        return names.to_text(self.zone)

    @property
    def kind(self) -> str:
        """What names below `svc` are of."""
        return "ServiceImport" if self.clusterset else "Service"


def subject_of(question: Question, served: Served) -> Subject | None:
    """What *question* is about; None when its name is in none of the zones."""
    name = question.name.lower()
    zone = next((suffix for suffix in names.suffixes(name) if suffix in served.zones), None)
    if zone is None:
        return None
    relative = tuple(names.labels(name[: -len(zone)] + names.ROOT))
    clusterset = zone in served.clustersets
    reading = None if is_reverse(zone) else read(relative, clusterset=clusterset, zonal=served.policy.zonal)
    return Subject(question, zone, relative, reading, clusterset)


def wanted_of(subject: Subject) -> Wanted:
    """The evidence that it takes."""
    if is_reverse(subject.zone):
        return Wanted(address=reverse_address(subject.question.name))
    reading = subject.reading
    if reading is not None and reading.namespace:
        address = address_text(reading.service) if reading.kind == "pod" else ""
        return Wanted(reading.namespace, reading.service, address)
    # Labels in a wrong form: the last two may be a Service and its namespace.
    texts = [names.label_text(label) for label in subject.relative]
    return Wanted(texts[-1], texts[-2]) if len(texts) > 1 else Wanted()


def of_cluster(subject: Subject, evidence: Evidence, served: Served) -> list[Cause]:
    """Why there is no record of the type asked at the name of *subject*, the most telling cause first."""
    found = [*_of_name(subject, evidence, served)]
    suffix = search_list(subject, evidence)
    if suffix is not None:
        found.insert(0, suffix)
    return found


def of_standing(served: Served) -> list[Cause]:
    """What the server's own state has to do with an answer, negative or not."""
    found = []
    if served.waiting_for:
        found.append(
            Cause(
                "not-synced",
                f"The server has had no full list yet of {', '.join(served.waiting_for)}, so it does not know what"
                " exists.",
                advice="See its log for why the API server does not answer or does not allow it (RBAC: list, watch).",
            )
        )
    elif served.standing.restored:
        found.append(
            Cause(
                "restored-state",
                "The answer is from the state that an earlier run of the server left; the API server has not been"
                " read since.",
                advice="See the log for why the API server cannot be reached.",
            )
        )
    for feed, reason in served.standing.stale.items():
        found.append(
            Cause(
                "out-of-date",
                f"{feed.value} cannot be followed at present, so the answer may be out of date: {reason}.",
                advice="See that the API server is reachable and allows list and watch.",
            )
        )
    return found


def _of_name(subject: Subject, evidence: Evidence, served: Served) -> Iterator[Cause]:
    if is_reverse(subject.zone):
        yield from of_reverse_name(subject.question, evidence, served)
        return
    reading = subject.reading
    if reading is None:
        yield from of_strange_labels(subject.relative, subject.zone, evidence)
        return
    if not reading.namespace:
        yield _exists_empty(subject)
        return
    namespace = _namespace_missing(subject, reading, evidence, served)
    if namespace is not None:
        yield namespace
    elif reading.kind == "pod":
        yield from of_pod_name(subject.question, reading, evidence, served)
    elif not reading.service:
        yield _exists_empty(subject)
    else:
        yield from _of_service(subject, reading, evidence, served)


def _exists_empty(subject: Subject) -> Cause:
    return Cause(
        "type-not-present",
        f"{subject.text} exists, but has no records of type {type_name(subject.question.rtype)}.",
        advice="Ask for SERVICE.NAMESPACE.svc below the zone.",
    )


def _namespace_missing(
    subject: Subject, reading: Reading, evidence: Evidence, served: Served
) -> Cause | None:
    name = reading.namespace
    there = evidence.get("Namespace", "", name)
    if there is None and "Namespace" not in evidence.unseen:
        swapped = evidence.get(subject.kind, reading.service, name) if reading.service else None
        if swapped is not None and reading.kind == "svc":
            return Cause(
                "names-swapped",
                f"There is no namespace {name}, but {swapped.place}: the Service's name comes first.",
                (swapped.place,),
                f"Ask for {name}.{reading.service}.svc.{subject.zone_text}",
            )
        return Cause(
            "no-such-namespace",
            f"There is no namespace {name}.",
            advice=suggestion(nearest(name, evidence.namespaces())) or "Create it, or correct the name.",
        )
    if served.shows_namespace(name, there):
        return None
    return _namespace_hidden(name, there, served)


def _namespace_hidden(name: str, there: Whole | None, served: Served) -> Cause:
    if served.policy.namespaces and name not in served.policy.namespaces:
        listed = " ".join(sorted(served.policy.namespaces))
        why, mend = f"option namespaces lists {listed} only", f"Add {name} to option namespaces."
    else:
        text = served.namespace_labels.text if served.namespace_labels else ""
        why = f"its labels do not match option namespace_labels ({text})"
        mend = "Put the labels on the namespace, or change the option."
    places = () if there is None else (there.place,)
    return Cause("namespace-hidden", f"Namespace {name} exists, but is not served: {why}.", places, mend)


def _of_service(subject: Subject, reading: Reading, evidence: Evidence, served: Served) -> Iterator[Cause]:
    service = evidence.get(subject.kind, reading.namespace, reading.service)
    if service is None:
        yield from _service_missing(subject, reading, evidence)
        return
    if not served.shows(service):
        text = served.labels.text if served.labels else ""
        yield Cause(
            "service-hidden",
            f"{service.place} exists, but is not served: its labels do not match option labels ({text}).",
            (service.place,),
            "Put the labels on the Service and on its EndpointSlices, or change the option.",
        )
        return
    if subject.clusterset:
        yield records_missing(subject.question, service)
    elif reading.endpoint or reading.port_name or reading.protocol or reading.zone:
        yield from below_service(subject.question, reading, service, evidence, served)
    else:
        yield from own_name(subject.question, service, evidence, served)
        if is_external(service):
            yield from _target_missing(subject, service, evidence, served)


def _target_missing(subject: Subject, service: Whole, evidence: Evidence, served: Served) -> Iterator[Cause]:
    """The target of an ExternalName Service, where it lies in the cluster's own zones."""
    aliases = [service]
    while True:
        target = target_of(aliases[-1])
        question = Question(target, subject.question.rtype) if target is not None else None
        inner = subject_of(question, served) if question is not None else None
        if inner is None:
            if target is not None:
                yield from _target_misread(aliases[-1], target, evidence, served)
            return
        following = service_of(inner, evidence)
        if following is None or not is_external(following):
            break
        if following in aliases or len(aliases) > CHAIN_MAX:
            yield Cause(
                "external-name-loop",
                f"{service.place} leads back to itself, by way of {', '.join(str(each.place) for each in aliases[1:])}."
                if aliases[1:]
                else f"{service.place} leads to itself.",
                tuple(each.place for each in aliases),
                "Let externalName lead to a name that has addresses.",
            )
            return
        aliases.append(following)
    for cause in islice(_of_name(inner, evidence, served), 1):
        yield Cause(
            "external-name-target-missing",
            f"{service.place} is an alias of {inner.text}, which has no such records. {cause.sentence}",
            (service.place, *cause.objects),
            cause.advice,
        )


def _target_misread(alias: Whole, target: bytes, evidence: Evidence, served: Served) -> Iterator[Cause]:
    """The target lies outside of the cluster, and is likely to be meant as a name of it."""
    text, zone = names.to_text(target), names.to_text(served.primary)
    meant = completed(target, evidence)
    foreign = another_zone(target, served.primary, evidence)
    if meant:
        whole = f"{meant[0].name}.{meant[0].namespace}.svc.{zone}"
        yield Cause(
            "external-name-not-complete",
            f"externalName of {alias.place} is {text} No search list completes it, so it is not the name of"
            f" {meant[0].place}.",
            (alias.place, meant[0].place),
            f"Write externalName: {whole.removesuffix('.')}",
        )
    elif foreign is not None:
        yield Cause(
            "external-name-not-complete",
            f"externalName of {alias.place}: {foreign.sentence}",
            (alias.place, *foreign.objects),
            f"Write a name in {zone}",
        )


def service_of(subject: Subject, evidence: Evidence) -> Whole | None:
    """The Service whose own name is that of *subject*."""
    reading = subject.reading
    if reading is None or reading.kind != "svc" or reading.endpoint or reading.protocol or reading.zone:
        return None
    return evidence.get("Service", reading.namespace, reading.service)


def _service_missing(subject: Subject, reading: Reading, evidence: Evidence) -> Iterator[Cause]:
    kind, name, namespace = subject.kind, reading.service, reading.namespace
    if kind in evidence.unseen:
        yield Cause(
            "no-such-service",
            f"The server knows no {kind} {name} in namespace {namespace}; the API could not be asked:"
            f" {evidence.unseen[kind]}.",
            advice="See that it exists, and that the server may list it.",
        )
        return
    elsewhere = evidence.named(kind, name)
    if elsewhere:
        where = ", ".join(each.namespace for each in elsewhere)
        yield Cause(
            "service-in-another-namespace",
            f"There is no {kind} {name} in namespace {namespace}, but there is one in {where}.",
            tuple(each.place for each in elsewhere),
            f"Ask for {name}.{elsewhere[0].namespace}.svc.{subject.zone_text}",
        )
        return
    pod = evidence.get("Pod", namespace, name)
    if pod is not None and kind == "Service":
        yield _pod_without_service(pod, subject, evidence)
        return
    known = [each.name for each in evidence.of(kind, namespace)]
    yield Cause(
        "no-such-service",
        f"There is no {kind} {name} in namespace {namespace}.",
        _places(nearest(name, known), kind, namespace, evidence),
        suggestion(nearest(name, known)) or _listed(known, kind, namespace),
    )


def _pod_without_service(pod: Whole, subject: Subject, evidence: Evidence) -> Cause:
    below = fields.text(pod.value, "spec", "subdomain")
    service = evidence.get("Service", pod.namespace, below) if below else None
    name = service.name if service else "SERVICE"
    return Cause(
        "pod-name-without-service",
        f"{pod.place} is a pod: pods have names below a headless Service only, not in their namespace.",
        (pod.place, *((service.place,) if service else ())),
        f"Ask for {pod.name}.{name}.{pod.namespace}.svc.{subject.zone_text}",
    )


def _places(found: Sequence[str], kind: str, namespace: str, evidence: Evidence) -> tuple[Place, ...]:
    objects = (evidence.get(kind, namespace, name) for name in found)
    return tuple(each.place for each in objects if each is not None)


def _listed(known: Sequence[str], kind: str, namespace: str) -> str:
    if not known:
        return (
            f"There is no {kind} at all in namespace {namespace}: see whether it was deployed to another one."
        )
    more = len(known) - 5
    return f"{kind}s there: {', '.join(known[:5])}{f' and {more} more' if more > 0 else ''}."
