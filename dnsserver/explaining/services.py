"""Causes that lie in a Service, its EndpointSlices and its pods, whatever name is asked for."""

from collections.abc import Iterable, Mapping, Sequence

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence, Whole
from dnsserver.explaining.nearest import distance, nearest
from dnsserver.explaining.pods import finished, why_not_ready
from dnsserver.explaining.references import pod_labels, workloads
from dnsserver.explaining.served import Served

#: Objects that a sentence names at most.
NAMED_MAX = 5
#: spec.clusterIP of a headless Service.
HEADLESS = "None"
#: addressType of an EndpointSlice with names in place of addresses (discovery.k8s.io/v1, AddressType).
FQDN = "FQDN"
#: Labels that everything of one application has in common: they do not tell whose pods are meant (Kubernetes,
#: "Recommended Labels").
_COMMON = frozenset(
    {
        "app.kubernetes.io/part-of",
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/version",
        "helm.sh/chart",
    }
)
EXTERNAL_NAME = "ExternalName"


def is_headless(service: Whole) -> bool:
    return cluster_ips(service)[:1] == (HEADLESS,)


def is_external(service: Whole) -> bool:
    return fields.text(service.value, "spec", "type") == EXTERNAL_NAME


def cluster_ips(service: Whole) -> tuple[str, ...]:
    """spec.clusterIPs, or spec.clusterIP where that is empty."""
    one = fields.text(service.value, "spec", "clusterIP")
    return fields.texts(service.value, "spec", "clusterIPs") or ((one,) if one else ())


def selector(service: Whole) -> dict[str, str]:
    return fields.labels(service.value, "spec", "selector")


def selects(service: Whole, pod: Whole) -> bool:
    return selector(service).items() <= pod.labels.items()


def endpoints_missing(service: Whole, evidence: Evidence, served: Served) -> Cause | None:
    """Why no ready endpoint is known of *service*, which is no ExternalName; None when there is one."""
    if not served.endpoints:
        return Cause(
            "endpoints-not-watched",
            f"Option noendpoints: this server does not follow EndpointSlices, so it knows no endpoints of"
            f" {service.place}.",
            (service.place,),
            "Remove noendpoints from the Corefile, and allow the server to list and watch endpointslices.",
        )
    slices = evidence.slices_of(service)
    shown = [each for each in slices if served.shows(each)]
    with_addresses = [each for each in shown if fields.text(each.value, "addressType") != FQDN]
    if any(
        is_ready(endpoint) for each in with_addresses for endpoint in fields.items(each.value, "endpoints")
    ):
        return None
    if slices and not shown:
        return _slices_hidden(service, slices, served)
    if shown and not with_addresses:
        return _of_host_names(service, shown)
    if "EndpointSlice" in evidence.unseen and not slices:
        return None
    if not selector(service):
        return _without_selector(service, shown)
    return _of_pods(service, shown, evidence)


def is_ready(endpoint: object) -> bool:
    """As cluster-dns-behaviour.md, section 4.2, has it: `ready` is true, or nothing is said."""
    said = fields.mapping(endpoint, "conditions").get("ready")
    return (said is None or said is True) and bool(fields.texts(endpoint, "addresses"))


def _slices_hidden(service: Whole, slices: Sequence[Whole], served: Served) -> Cause:
    text = served.labels.text if served.labels else ""
    return Cause(
        "slices-hidden",
        f"{service.place} has EndpointSlices, but none of them matches option labels ({text}).",
        (slices[0].place, service.place),
        "Put the labels on the EndpointSlices too: the controller copies those of the Service to the slices that it"
        " makes; those made by hand need their own.",
    )


def _of_host_names(service: Whole, slices: Sequence[Whole]) -> Cause:
    return Cause(
        "slices-of-host-names",
        f"{slices[0].place} of {service.place} has addressType {FQDN}: DNS is made of addresses only.",
        (slices[0].place, service.place),
        "Write the addresses, or make the Service one of type ExternalName.",
    )


def _without_selector(service: Whole, slices: Sequence[Whole]) -> Cause:
    if slices:
        return _not_ready_slices(service, slices)
    return Cause(
        "service-without-selector",
        f"{service.place} has no selector, and no EndpointSlice has the label"
        f" kubernetes.io/service-name={service.name}.",
        (service.place,),
        "Give the Service a selector, or write an EndpointSlice with this label in its namespace.",
    )


def _of_pods(service: Whole, slices: Sequence[Whole], evidence: Evidence) -> Cause:
    if "Pod" in evidence.unseen:
        if slices:
            return _not_ready_slices(service, slices, f" ({evidence.unseen['Pod']})")
        return Cause(
            "no-ready-endpoint",
            f"No EndpointSlice has an endpoint of {service.place}; which pods its selector ({_pairs(service)}) should"
            f" match could not be seen: {evidence.unseen['Pod']}.",
            (service.place,),
            "Compare the selector with the labels of the pods, and see that these are ready.",
        )
    pods = [pod for pod in evidence.of("Pod", service.namespace) if selects(service, pod)]
    if not pods:
        return nothing_selected(service, evidence)
    alive = [pod for pod in pods if not finished(pod)]
    if alive and all(pod.terminating for pod in alive):
        return _terminating(service, alive)
    reasons = [(pod, why_not_ready(pod)) for pod in pods]
    if slices or all(reason for _, reason in reasons):
        # The slices have the last word: a pod may have become ready just now.
        return _not_ready(service, [(pod, reason) for pod, reason in reasons if reason], slices)
    return Cause(
        "no-endpoint-slice",
        f"{_named([pod for pod, reason in reasons if not reason])} match the selector of {service.place} and are ready,"
        f" but no EndpointSlice lists them.",
        (service.place, *(pod.place for pod, _ in reasons[:NAMED_MAX])),
        "See that kube-controller-manager runs: its endpointslice controller makes the slices.",
    )


def _terminating(service: Whole, pods: Sequence[Whole]) -> Cause:
    return Cause(
        "terminating-only",
        f"All pods that the selector of {service.place} matches are terminating: {_named(pods)}."
        f" Terminating endpoints are not in DNS.",
        (service.place, *(pod.place for pod in pods[:NAMED_MAX])),
        "Wait for the pods that replace them, or see why none were made (kubectl describe the workload).",
    )


def _not_ready(service: Whole, reasons: Sequence[tuple[Whole, str]], slices: Sequence[Whole]) -> Cause:
    if not reasons:
        return _not_ready_slices(service, slices)
    published = fields.flag(service.value, "spec", "publishNotReadyAddresses")
    listed = "; ".join(f"{pod.name}: {reason}" for pod, reason in reasons[:NAMED_MAX])
    more = len(reasons) - NAMED_MAX
    return Cause(
        "no-ready-endpoint",
        f"No pod of {service.place} {'has an address that is published' if published else 'is ready'}: {listed}"
        f"{f'; and {more} more' if more > 0 else ''}.",
        (service.place, *(pod.place for pod, _ in reasons[:NAMED_MAX])),
        _to_be_ready([pod for pod, _ in reasons], published=published),
    )


def _to_be_ready(pods: Sequence[Whole], *, published: bool) -> str:
    if all(map(finished, pods)):
        return "Pods that have ended do not come back: start others."
    if published:
        return "See why the pods have no address (kubectl describe pod)."
    return (
        "See why the pods are not ready (kubectl describe pod). Where names are needed before that, set"
        " publishNotReadyAddresses: true in the Service."
    )


def _not_ready_slices(service: Whole, slices: Sequence[Whole], note: str = "") -> Cause:
    addresses = [
        address
        for each in slices
        for endpoint in fields.items(each.value, "endpoints")
        for address in fields.texts(endpoint, "addresses")
    ]
    listed = ", ".join(addresses[:NAMED_MAX])
    what = f"every endpoint is not ready: {listed}" if listed else "there is no endpoint"
    many = "the EndpointSlice" if len(slices) == 1 else f"the {len(slices)} EndpointSlices"
    return Cause(
        "no-ready-endpoint",
        f"In {many} of {service.place} {what}{note}.",
        (*(each.place for each in slices[:NAMED_MAX]), service.place),
        "See why the endpoints' condition `ready` is false.",
    )


def nothing_selected(service: Whole, evidence: Evidence) -> Cause:
    """The selector of *service* matches no pod: of which workload they would be, or which label of which pod is
    nearest to it."""
    wanted = selector(service)
    for each in workloads(service.namespace, evidence):
        if wanted.items() <= pod_labels(each).items():
            return _of_idle(service, each)
    pods = [pod for pod in evidence.of("Pod", service.namespace) if not finished(pod)]
    closest = max(pods, key=lambda pod: _closeness(wanted, pod.labels), default=None)
    if closest is None or not any(key in closest.labels for key in wanted):
        return _no_pod_at_all(service, pods, evidence)
    differences = " and ".join(_difference(key, value, closest) for key, value in _missing(wanted, closest))
    return Cause(
        "selector-matches-nothing",
        f"The selector of {service.place} ({_pairs(service)}) matches no pod: the nearest, {closest.place},"
        f" {differences}.",
        (service.place, *closest.place.origin, closest.place),
        "Make the selector of the Service and the labels of the pods (in the template of their workload) equal.",
    )


def _of_idle(service: Whole, workload: Whole) -> Cause:
    replicas = fields.number(workload.value, "spec", "replicas")
    why = f" (replicas: {replicas})" if replicas == 0 else ""
    return Cause(
        "workload-without-pods",
        f"The selector of {service.place} matches the pods of {workload.place}, which has none at present{why}.",
        (workload.place, service.place),
        "Scale it up, or see why it makes no pods (kubectl describe).",
    )


def resembles(service: Whole, pod: Whole) -> bool:
    """Whether *pod* is likely to be meant by the selector of *service*, which does not match it: each value is a slip
    of the pod's, or at least half of the labels agree, not counting those that all of an application have."""
    wanted = selector(service)
    agreeing = [key for key in wanted if key not in _COMMON and pod.labels.get(key) == wanted[key]]
    if agreeing and 2 * len(agreeing) >= len(wanted):
        return True
    return all(nearest(value, [pod.labels.get(key, "")]) for key, value in _missing(wanted, pod))


def _closeness(wanted: Mapping[str, str], labels: Mapping[str, str]) -> tuple[int, int]:
    """How many labels agree, then how alike the values of the others are."""
    edits = [distance(value, labels[key]) if key in labels else len(value) for key, value in wanted.items()]
    return len(wanted.items() & labels.items()), -sum(edits)


def _no_pod_at_all(service: Whole, pods: Sequence[Whole], evidence: Evidence) -> Cause:
    elsewhere = next((pod for pod in evidence.of("Pod") if pod.labels and selects(service, pod)), None)
    why = f"none of the {len(pods)} pods there has such a label" if pods else "there are no pods"
    hint = (
        f" {elsewhere.place} would match, but a Service selects in its own namespace only."
        if elsewhere
        else ""
    )
    return Cause(
        "selector-matches-nothing",
        f"The selector of {service.place} ({_pairs(service)}) matches no pod in namespace {service.namespace}:"
        f" {why}.{hint}",
        (service.place, *((elsewhere.place,) if elsewhere else ())),
        "Start the workload in the Service's namespace, with the labels that the selector wants.",
    )


def _missing(wanted: dict[str, str], pod: Whole) -> Iterable[tuple[str, str]]:
    return ((key, value) for key, value in wanted.items() if pod.labels.get(key) != value)


def _difference(key: str, value: str, pod: Whole) -> str:
    there = pod.labels.get(key)
    return (
        f"has no label {key} (wanted: {value})"
        if there is None
        else f"has {key}={there} instead of {key}={value}"
    )


def _pairs(service: Whole) -> str:
    return ",".join(f"{key}={value}" for key, value in selector(service).items())


def _named(found: Sequence[Whole]) -> str:
    more = len(found) - NAMED_MAX
    return ", ".join(each.name for each in found[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
