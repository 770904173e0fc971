"""Pods as evidence: which are ready, and if not, why."""

from dnsserver.explaining import fields
from dnsserver.explaining.evidence import Whole

#: Phases of pods whose containers have ended for good (v1, PodPhase).
OVER = frozenset({"Succeeded", "Failed"})
#: Put by the StatefulSet controller on its pods, with their name.
STATEFUL_POD_LABEL = "statefulset.kubernetes.io/pod-name"


def why_not_ready(pod: Whole) -> str:
    """Why *pod* is no ready endpoint, as far as its status says; "" when it is one."""
    phase = fields.text(pod.value, "status", "phase")
    if phase in OVER:
        return f"it has ended (phase {phase})"
    if pod.terminating:
        return "it is terminating"
    ready = next(
        (each for each in fields.items(pod.value, "status", "conditions") if each.get("type") == "Ready"),
        None,
    )
    if ready is not None and fields.text(ready, "status") == "True":
        return "" if has_address(pod) else "it has no address"
    waiting = _waiting(pod)
    if waiting:
        return waiting
    if ready is not None:
        said = fields.text(ready, "message") or fields.text(ready, "reason")
        return f"condition Ready is {fields.text(ready, 'status') or 'unknown'}" + (
            f": {said}" if said else ""
        )
    unscheduled = _unscheduled(pod)
    if unscheduled:
        return unscheduled
    if phase in ("", "Running") and not fields.has(pod.value, "status", "conditions"):
        return ""  # a manifest that leaves its status open
    return f"phase {phase}"


def has_address(pod: Whole) -> bool:
    """Pods that manifests make get theirs; one with a status has what it says."""
    return not fields.has(pod.value, "status", "phase") or bool(fields.text(pod.value, "status", "podIP"))


def finished(pod: Whole) -> bool:
    return fields.text(pod.value, "status", "phase") in OVER


def hostname(pod: Whole) -> str:
    return fields.text(pod.value, "spec", "hostname")


def subdomain(pod: Whole) -> str:
    return fields.text(pod.value, "spec", "subdomain")


def _unscheduled(pod: Whole) -> str:
    """No node was found for it (v1, PodScheduled)."""
    for each in fields.items(pod.value, "status", "conditions"):
        if fields.text(each, "type") == "PodScheduled" and fields.text(each, "status") == "False":
            said = fields.text(each, "message") or fields.text(each, "reason")
            return f"it is on no node{f': {said}' if said else ''}"
    return ""


def _waiting(pod: Whole) -> str:
    """The first container that waits, or has just failed."""
    for group in ("initContainerStatuses", "containerStatuses"):
        for status in fields.items(pod.value, "status", group):
            name = fields.text(status, "name")
            reason = fields.text(status, "state", "waiting", "reason")
            if reason:
                return f"container {name} waits: {reason}"
            ended = fields.text(status, "state", "terminated", "reason")
            if ended and group == "containerStatuses":
                return f"container {name} has ended: {ended}"
    return ""
