"""Names of the cluster in the settings of containers: `http://web.shop.svc:80`.

Only names that end in `.svc` or `.svc.ZONE` are taken for names of the cluster: whatever else looks like one may be
something else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dnsserver.explaining import fields
from dnsserver.explaining.evidence import Evidence, Whole

#: The pod templates of kinds that have one, by the path to the pod's spec.
_POD_SPECS: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
}
_CONTAINERS = ("initContainers", "containers")


def pod_spec(whole: Whole) -> Mapping[str, Any]:
    """The spec of the pods of *whole*; empty for kinds that have none."""
    path = _POD_SPECS.get(whole.place.kind)
    return {} if path is None else fields.mapping(whole.value, *path)


def workloads(namespace: str, evidence: Evidence) -> Iterator[Whole]:
    """What keeps pods in *namespace*, whether it has any at present or not."""
    return (each for kind in _POD_SPECS if kind != "Pod" for each in evidence.of(kind, namespace))


def pod_labels(whole: Whole) -> Mapping[str, str]:
    """The labels of the pods of *whole*, whether there are any at present or not."""
    path = _POD_SPECS.get(whole.place.kind)
    return {} if path is None else fields.labels(whole.value, *path[:-1], "metadata", "labels")


def references(whole: Whole, zone: str) -> Iterator[tuple[str, str]]:
    """Where in *whole* a name of the cluster stands, and that name, absolute; *zone* has its final dot."""
    seen: set[str] = set()
    for where, text in _texts(pod_spec(whole)):
        for name in _names(text, zone):
            if name not in seen:
                seen.add(name)
                yield where, name


def _texts(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group in _CONTAINERS:
        for container in fields.items(spec, group):
            own = f"container {fields.text(container, 'name')}"
            for variable in fields.items(container, "env"):
                yield f"{own}, env {fields.text(variable, 'name')}", fields.text(variable, "value")
            for part in ("command", "args"):
                for text in fields.texts(container, part):
                    yield f"{own}, {part}", text


def _names(text: str, zone: str) -> Iterator[str]:
    """Each with all of its labels: nothing in front of it that would be part of it, such as a variable or a template,
    and nothing behind."""
    if ".svc" not in text:
        return
    label = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
    suffix = re.escape("." + zone.rstrip("."))
    pattern = rf"(?<![\w.\-)}}$*>%\]])((?:{label}\.){{2,6}}svc)({suffix})?\.?(?![\w.\-({{$*<%\[])"
    for found in re.finditer(pattern, text):
        yield f"{found[1].lower()}.{zone}"
