"""Who asks: a pod of the manifests, any pod of a namespace, or whoever has a given resolv.conf."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dnsserver.explaining import fields
from dnsserver.explaining.evidence import Evidence
from dnsserver.explaining.nearest import nearest
from dnsserver.stubs.pods import Cluster, PodDnsError, pod_files
from dnsserver.stubs.resolvconf import read_by_glibc

#: Kinds whose pods are asked for by the name of the workload.
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController")
#: Where clusters have their DNS, and its address when nothing says another (kubeadm's default, the tenth Service IP).
DNS_NAMESPACE, DNS_SERVICE, DNS_ADDRESS = "kube-system", "kube-dns", "10.96.0.10"


class AskerError(ValueError):
    """Who asks cannot be made out; the text says how to mend it."""


@dataclass(frozen=True, slots=True)
class Given:
    """The command line. Files by their content; None where none is given."""

    who: str
    zone: str
    cluster_dns: tuple[str, ...]
    resolv_conf: str | None
    hosts: str | None
    node: str | None


@dataclass(frozen=True, slots=True)
class Asker:
    """`cluster_dns` are the name servers of `resolv_conf` that the cluster's DNS stands behind."""

    title: str
    resolv_conf: str
    hosts: str
    cluster_dns: tuple[str, ...]
    notes: tuple[str, ...] = ()


def asker(options: Given, evidence: Evidence) -> Asker:
    """Raises AskerError."""
    if options.resolv_conf is not None:
        dns = options.cluster_dns or read_by_glibc(options.resolv_conf).servers[:1]
        return Asker("whoever has that resolv.conf", options.resolv_conf, options.hosts or "", dns)
    title, pod = _pod(options.who, evidence)
    cluster = Cluster(options.zone, options.cluster_dns or _cluster_dns(evidence), options.node)
    try:
        files = pod_files(pod, cluster)
    except PodDnsError as error:
        hint = ": give it by --node-resolv-conf FILE" if options.node is None and "node" in str(error) else ""
        raise AskerError(f"{title}: {error}{hint}") from None
    hosts = files.hosts if options.hosts is None else options.hosts
    return Asker(f"{title} (dnsPolicy {files.policy})", files.resolv_conf, hosts, cluster.dns, files.notes)


def _cluster_dns(evidence: Evidence) -> tuple[str, ...]:
    service = evidence.get("Service", DNS_NAMESPACE, DNS_SERVICE)
    ips = fields.texts(service.value, "spec", "clusterIPs") if service else ()
    return tuple(ip for ip in ips if ip != "None") or (DNS_ADDRESS,)


def _pod(who: str, evidence: Evidence) -> tuple[str, Mapping[str, Any]]:
    """How the pod is called, and the object."""
    namespace, slash, name = who.partition("/")
    if not slash:
        return f"a pod of namespace {namespace}", {"metadata": {"namespace": namespace}}
    pod = evidence.get("Pod", namespace, name)
    if pod is not None:
        return str(pod.place), pod.value
    for kind in WORKLOADS:
        workload = evidence.get(kind, namespace, name)
        if workload is not None:
            spec = fields.mapping(workload.value, "spec", "template", "spec")
            return f"a pod of {workload.place}", {"metadata": {"namespace": namespace}, "spec": spec}
    raise AskerError(f"no pod {who} in the manifests{_others(namespace, name, evidence)}")


def _others(namespace: str, name: str, evidence: Evidence) -> str:
    """What may be meant instead."""
    if not evidence.objects:
        return ": give them as PATH"
    known = [each.name for kind in ("Pod", *WORKLOADS) for each in evidence.of(kind, namespace)]
    if not known:
        return f": namespace {namespace} has none; --from {namespace} asks as an ordinary pod of it"
    listed = nearest(name, known) or tuple(sorted(known)[:3])
    return f": there are {', '.join(listed)}"
