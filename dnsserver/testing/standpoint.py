"""Who asks: a pod's address, and the resolv.conf that the kubelet gives it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dnsserver.sources.manifests import ManifestSettings
from dnsserver.sources.manifests.evidence import manifest_evidence
from dnsserver.stubs.pods import Cluster, PodDnsError, address_of, pod_files
from dnsserver.stubs.resolvconf import read_by_glibc


@dataclass(frozen=True, slots=True)
class Standpoint:
    """`address` is "" when it is not known, `resolv_conf` when names are asked as they stand."""

    address: str = ""
    resolv_conf: str = ""

    def names(self, name: str) -> list[str]:
        """What is asked for *name*, one after another; as glibc completes it, without the final dots it puts there."""
        if not self.resolv_conf or name.endswith("."):
            return [name]
        return [tried.removesuffix(".") for tried in read_by_glibc(self.resolv_conf).names(name)]


def pods_of(settings: ManifestSettings, documents: list[dict[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The pods of the cluster by NAMESPACE/NAME, those too that controllers would make. Raises ManifestError."""
    evidence = manifest_evidence(replace(settings, documents=documents))
    return {f"{pod.namespace}/{pod.name}": pod.value for pod in evidence.of("Pod")}


def standpoint(from_pod: str, zone: str, pods: Mapping[str, Mapping[str, Any]]) -> Standpoint:
    """*from_pod* is NAMESPACE/NAME, NAMESPACE/ for a pod of which nothing else matters, or "" for nobody.

    Raises LookupError when there is no such pod, or none whose resolv.conf is known.
    """
    if not from_pod:
        return Standpoint()
    namespace, slash, name = from_pod.partition("/")
    if not slash or not namespace:
        raise LookupError(
            f"from_pod={from_pod!r}: write it as NAMESPACE/NAME, or NAMESPACE/ for any pod there"
        )
    if name and from_pod not in pods:
        raise LookupError(f"there is no pod {from_pod}: there are {', '.join(sorted(pods)) or 'none'}")
    pod = pods[from_pod] if name else {"metadata": {"namespace": namespace}}
    try:
        return Standpoint(address_of(pod), pod_files(pod, Cluster(zone)).resolv_conf)
    except PodDnsError as error:
        raise LookupError(f"from_pod={from_pod!r}: {error}") from None
