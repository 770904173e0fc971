"""Causes that lie between a Service, a StatefulSet and the pods whose names are asked for."""

import re

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence, Whole
from dnsserver.explaining.pods import STATEFUL_POD_LABEL, finished, hostname, subdomain, why_not_ready
from dnsserver.explaining.references import pod_labels
from dnsserver.explaining.services import is_headless, selector, selects

_ORDINAL = re.compile(r"(?P<name>.+)-(?P<ordinal>0|[1-9][0-9]{0,9})$")


def service_name_mismatch(workload: Whole, evidence: Evidence) -> Cause | None:
    """A StatefulSet whose serviceName is no Service in its namespace, or not one that selects its pods."""
    name = fields.text(workload.value, "spec", "serviceName")
    if not name or "Service" in evidence.unseen:
        return None
    service = evidence.get("Service", workload.namespace, name)
    template = pod_labels(workload).items()
    if service is not None and (not selector(service) or selector(service).items() <= template):
        return None
    meant = [each.name for each in selecting(workload, evidence)]
    why = (
        f"there is no Service {name}"
        if service is None
        else f"the selector of {service.place} does not match its pods"
    )
    return Cause(
        "service-name-mismatch",
        f"{workload.place} has serviceName {name}, but {why}: its pods have no names of their own.",
        (workload.place, *((service.place,) if service else ())),
        f"Set serviceName to {' or '.join(meant)}."
        if meant
        else "Make a headless Service of this name for its pods.",
    )


def selecting(workload: Whole, evidence: Evidence) -> list[Whole]:
    """Headless Services whose selector matches the pods of *workload*."""
    labels = pod_labels(workload).items()
    return [
        service
        for service in evidence.of("Service", workload.namespace)
        if selector(service) and selector(service).items() <= labels and is_headless(service)
    ]


def endpoint_missing(label: str, service: Whole, evidence: Evidence) -> Cause | None:
    """Why the pod *label* has no name below *service*; None when no pod or StatefulSet of this name is known."""
    pod = evidence.get("Pod", service.namespace, label)
    return _of_stateful_set(label, service, evidence) or (
        None if pod is None else _of_pod(pod, service, evidence)
    )


def _of_stateful_set(label: str, service: Whole, evidence: Evidence) -> Cause | None:
    found = _ORDINAL.fullmatch(label)
    workload = evidence.get("StatefulSet", service.namespace, found["name"]) if found else None
    if workload is None or found is None:
        return None
    name = fields.text(workload.value, "spec", "serviceName")
    if name != service.name:
        return Cause(
            "service-name-mismatch",
            f"{workload.place} has serviceName {name or '(none)'}, so its pods have their names there, not below"
            f" {service.place}.",
            (workload.place, service.place),
            f"Set serviceName: {service.name} in the StatefulSet (it has to be made anew for that)"
            f"{_below(label, name, service.namespace, evidence)}.",
        )
    wanted = fields.number(workload.value, "spec", "replicas")
    first = fields.number(workload.value, "spec", "ordinals", "start") or 0
    count = 1 if wanted is None else wanted
    if first <= int(found["ordinal"]) < first + count:
        return None
    last = first + count - 1
    there = (
        f"{workload.name}-{first}{f' to {workload.name}-{last}' if count > 1 else ''}"
        if count > 0
        else "no pod"
    )
    return Cause(
        "ordinal-beyond-replicas",
        f"{workload.place} has {count} replica{'' if count == 1 else 's'}: {there}.",
        (workload.place,),
        f"Ask for a pod that it has: spec.ordinals.start is {first}."
        if int(found["ordinal"]) < first
        else "Scale it up, or ask for a pod that it has.",
    )


def _of_pod(pod: Whole, service: Whole, evidence: Evidence) -> Cause:
    places = (pod.place, *pod.place.origin, service.place)
    own, below = hostname(pod), subdomain(pod)
    if pod.labels.get(STATEFUL_POD_LABEL) == pod.name and below != service.name:
        return Cause(
            "service-name-mismatch",
            f"{pod.place} is of a StatefulSet with serviceName {below or '(none)'}, so it has its name there, not below"
            f" {service.place}.",
            places,
            f"Set serviceName: {service.name} in the StatefulSet{_below(pod.name, below, pod.namespace, evidence)}.",
        )
    if not selects(service, pod):
        return Cause(
            "pod-not-selected",
            f"The selector of {service.place} does not match {pod.place}.",
            places,
            "Make the labels of the pod and the selector of the Service agree.",
        )
    if finished(pod) or (why_not_ready(pod) and (own, below) == (pod.name, service.name)):
        return Cause(
            "endpoint-not-ready",
            f"{pod.place} is not ready: {why_not_ready(pod)}.",
            places,
            "See why the pod is not ready (kubectl describe pod), or set publishNotReadyAddresses: true in the"
            " Service.",
        )
    said = f"hostname {own or '(none)'} and subdomain {below or '(none)'}"
    return Cause(
        "pod-without-subdomain",
        f"{pod.place} has {said}; a name of its own below {service.place} takes hostname: {pod.name} and"
        f" subdomain: {service.name}.",
        places,
        "Set both in the pod's spec, or use a StatefulSet with this serviceName, which does so.",
    )


def _below(pod: str, service: str, namespace: str, evidence: Evidence) -> str:
    """Where the pod has its name; or that it has none."""
    if service and evidence.get("Service", namespace, service) is not None:
        return f", or ask for {pod}.{service}.{namespace}"
    return f"; there is no Service {service}, so its pods have no names at all" if service else ""
