"""Workloads as stated, and the pods that their controllers would keep."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dnsserver.sources.manifests.addressing import ShortageError
from dnsserver.sources.manifests.fields import FieldError, Fields
from dnsserver.sources.manifests.hashing import suffix
from dnsserver.sources.manifests.settings import MAX_REPLICAS, ManifestSettings
from dnsserver.sources.manifests.stated import Owner, PodTemplate, StatedPod, Workload
from dnsserver.sources.manifests.templates import owner, pod_template
from dnsserver.sources.selectors import Operator, Requirement, Selector
from dnsserver.zone.objects import Identity, ObjectKey

#: API group and kind of what keeps pods. CronJobs are left out: whether they have any depends on the time of day.
WORKLOADS = frozenset(
    {
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
        ("v1", "ReplicationController"),
    }
)
#: Characters of a name that are kept before a random suffix (apiserver, storage/names: 63 less 5).
MAX_GENERATED_BASE = 58
#: Characters of the suffixes of pods and of a Deployment's ReplicaSets.
POD_SUFFIX, REPLICA_SET_SUFFIX = 5, 10
#: A Deployment's ReplicaSet and its pods carry the suffix of its name in it (apps/v1).
TEMPLATE_HASH_LABEL = "pod-template-hash"

_OPERATORS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.ABSENT,
}


def read_workload(fields: Fields, identity: Identity) -> Workload:
    spec = fields.child("spec")
    template = pod_template(spec.child("template"))
    if identity.kind == "StatefulSet":
        template = replace(template, subdomain=spec.text("serviceName"))
    return Workload(
        identity,
        owner(fields),
        template,
        _selector(spec, template, plain=identity.kind == "ReplicationController"),
        _pods(identity.kind, spec, fields.child("status")),
        spec.child("ordinals").number("start", 0, 2**31 - 1) or 0,
        spec.text("completionMode") == "Indexed",
    )


def _pods(kind: str, spec: Fields, status: Fields) -> int | None:
    """How many pods there are to be. A status that a controller wrote says how many there are."""
    if kind == "Job":
        return _pods_of_job(spec, status)
    running = "currentNumberScheduled" if kind == "DaemonSet" else "replicas"
    if status.has("observedGeneration"):
        return status.number(running, 0, MAX_REPLICAS) or 0
    if kind == "DaemonSet":
        return None
    stated = spec.number("replicas", 0, MAX_REPLICAS)
    return 1 if stated is None else stated


def _pods_of_job(spec: Fields, status: Fields) -> int:
    parallel = spec.number("parallelism", 0, MAX_REPLICAS)
    wanted = 1 if parallel is None else parallel
    completions = spec.number("completions", 0, 2**31 - 1)
    if status.has("startTime"):
        return status.number("active", 0, MAX_REPLICAS) or 0
    if spec.flag("suspend"):
        return 0
    return wanted if completions is None else min(wanted, completions)


def _selector(spec: Fields, template: PodTemplate, *, plain: bool) -> Selector:
    """The pods that count as the workload's; without a selector, those with the template's labels."""
    selector = spec.child("selector")
    labels = spec.texts("selector") if plain else selector.texts("matchLabels")
    requirements = [Requirement(key, Operator.IN, (value,)) for key, value in labels.items()]
    if not plain:
        for expression in selector.children("matchExpressions"):
            operator = _OPERATORS.get(expression.text("operator"))
            if operator is None:
                raise FieldError(f"{expression.place}.operator: use one of {', '.join(_OPERATORS)}")
            values = tuple(sorted(expression.strings("values")))
            requirements.append(Requirement(expression.text("key"), operator, values))
    if not requirements:
        requirements = [Requirement(key, Operator.IN, (value,)) for key, value in template.labels.items()]
    return Selector(tuple(requirements))


def all_pods(
    stated: Mapping[ObjectKey, StatedPod], workloads: Iterable[Workload], settings: ManifestSettings
) -> dict[ObjectKey, StatedPod]:
    """The pods that are stated and those that the workloads keep beside them, by key.

    As in a cluster, pods that are there already count: those that a workload owns, and those without owner that its
    selector matches. Where any pod of a workload is stated with its owner, the manifests are a dump of a cluster:
    then they state all of them.
    """
    pods = dict(stated)
    known = {workload.identity for workload in workloads}
    dumped = {identity for pod in stated.values() for identity in _owners(pod)}
    dumped |= {above for workload in workloads if workload.identity in dumped and (above := _above(workload))}
    orphans = _Orphans(pod for pod in stated.values() if pod.owner is None)
    for workload in sorted(workloads, key=lambda item: item.identity):
        if _above(workload) in known:
            continue  # a Deployment's ReplicaSet: the Deployment speaks for it
        if workload.identity in dumped:
            continue
        wanted = settings.nodes if workload.pods is None else workload.pods
        if workload.identity.kind == "StatefulSet":
            made = _numbered(workload, wanted, pods)
        else:
            made = _suffixed(workload, wanted - orphans.adopt(workload), pods)
        pods.update({pod.identity.key: pod for pod in made})
        if len(pods) - len(stated) > MAX_REPLICAS:
            raise ShortageError(f"the workloads ask for more than {MAX_REPLICAS} pods: lower their replicas")
    return pods


def _above(workload: Workload) -> Identity | None:
    """What keeps the workload, as a Deployment keeps ReplicaSets."""
    if workload.owner is None:
        return None
    return Identity(workload.owner.kind, ObjectKey(workload.identity.key.namespace, workload.owner.name))


class _Orphans:
    """Stated pods without owner, by namespace; each is adopted by one workload at most."""

    def __init__(self, pods: Iterable[StatedPod]) -> None:
        self._left: dict[str, list[StatedPod]] = {}
        for pod in pods:
            if pod.phase not in ("Succeeded", "Failed") and not pod.terminating:
                self._left.setdefault(pod.identity.key.namespace, []).append(pod)

    def adopt(self, workload: Workload) -> int:
        """Take the pods that *workload* would adopt; how many there are."""
        pods = self._left.get(workload.identity.key.namespace)
        if not pods or not workload.selector.requirements:
            return 0
        left = [pod for pod in pods if not workload.selector.matches(pod.template.labels)]
        self._left[workload.identity.key.namespace] = left
        return len(pods) - len(left)


def _owners(pod: StatedPod) -> Iterator[Identity]:
    """The workloads that keep *pod*: its owner, and the Deployment that a ReplicaSet's name tells of."""
    if pod.owner is None:
        return
    namespace = pod.identity.key.namespace
    yield Identity(pod.owner.kind, ObjectKey(namespace, pod.owner.name))
    template_hash = pod.template.labels.get(TEMPLATE_HASH_LABEL, "")
    if pod.owner.kind == "ReplicaSet" and template_hash:
        deployment = pod.owner.name.removesuffix(f"-{template_hash}")
        yield Identity("Deployment", ObjectKey(namespace, deployment))


def _numbered(workload: Workload, wanted: int, pods: Mapping[ObjectKey, StatedPod]) -> Iterator[StatedPod]:
    """A StatefulSet's pods. One that is stated by name, without owner, gets from the template what it leaves out."""
    namespace, name = workload.identity.key
    for ordinal in range(workload.first, workload.first + wanted):
        key = ObjectKey(namespace, f"{name}-{ordinal}")
        labels = {
            **workload.template.labels,
            "statefulset.kubernetes.io/pod-name": key.name,
            "apps.kubernetes.io/pod-index": str(ordinal),
        }
        template = replace(workload.template, hostname=key.name, labels=labels)
        there = pods.get(key)
        if there is None:
            yield _new_pod(key, template, workload)
        elif there.owner is None:
            yield replace(there, template=_completed(there.template, template))


def _completed(stated: PodTemplate, template: PodTemplate) -> PodTemplate:
    return PodTemplate(
        {**template.labels, **stated.labels},
        stated.hostname or template.hostname,
        stated.subdomain or template.subdomain,
        stated.ports or template.ports,
    )


def _suffixed(workload: Workload, wanted: int, pods: Mapping[ObjectKey, StatedPod]) -> Iterator[StatedPod]:
    """Pods with names that look random, but depend on nothing but the workload's name and the pod's number."""
    kind, (namespace, name) = workload.identity
    labels = dict(workload.template.labels)
    base = name
    if kind == "Deployment":
        template_hash = suffix(REPLICA_SET_SUFFIX, kind, namespace, name)
        labels[TEMPLATE_HASH_LABEL] = template_hash
        base = f"{name}-{template_hash}"
    elif kind == "Job":
        labels |= {"batch.kubernetes.io/job-name": name, "job-name": name}
    taken: set[str] = set()
    template = replace(workload.template, labels=labels)
    for number in range(wanted):
        own, stem = template, base
        if kind == "Job" and workload.indexed:
            stem = f"{name}-{number}"
            index = {"batch.kubernetes.io/job-completion-index": str(number)}
            own = replace(template, hostname=stem, labels=labels | index)
        key = _free_name(namespace, stem, number, taken, pods)
        yield _new_pod(key, own, workload)


def _free_name(
    namespace: str, stem: str, number: int, taken: set[str], pods: Mapping[ObjectKey, StatedPod]
) -> ObjectKey:
    attempt = 0
    while True:
        ending = suffix(POD_SUFFIX, "Pod", namespace, stem, str(number), str(attempt))
        name = f"{stem}-"[:MAX_GENERATED_BASE] + ending
        key = ObjectKey(namespace, name)
        if name not in taken and key not in pods:
            taken.add(name)
            return key
        attempt += 1


def _new_pod(key: ObjectKey, template: PodTemplate, workload: Workload) -> StatedPod:
    kept_by = Owner(workload.identity.kind, workload.identity.key.name)
    return StatedPod(
        Identity("Pod", key), template, kept_by, (), phase="", ready=True, terminating=False, live=False
    )
