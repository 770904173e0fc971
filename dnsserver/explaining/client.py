"""Who asks: a pod with its search list, or an address."""

from collections.abc import Iterator
from dataclasses import dataclass

from dnsserver.explaining import fields
from dnsserver.explaining.evidence import Whole

#: Dots that a name has to have to be asked for as it is first: what the kubelet writes for pods of the cluster's DNS
#: (pkg/kubelet/network/dns, defaultDNSOptions), and what resolvers take without an option (resolv.conf(5)).
NDOTS, NDOTS_ELSEWHERE = 5, 1
#: Dots. More than these count as these (glibc, RES_MAXNDOTS).
NDOTS_MAX = 15


@dataclass(frozen=True, slots=True)
class SearchList:
    """`suffixes` without final dot, in order."""

    suffixes: tuple[str, ...] = ()
    ndots: int = NDOTS_ELSEWHERE

    def names(self, name: str) -> Iterator[str]:
        """What a resolver asks for, one after another, all with a final dot. As glibc does: a name with a final dot as
        it is; one with fewer dots than `ndots` with each suffix first."""
        if name.endswith("."):
            yield name
            return
        first = name.count(".") >= self.ndots
        if first:
            yield f"{name}."
        yield from (f"{name}.{suffix}." for suffix in self.suffixes)
        if not first:
            yield f"{name}."


def search_list_of(pod: Whole, zone: str) -> SearchList:
    """What the kubelet writes into the pod's resolv.conf, *zone* being the cluster's. That of the node, which comes on
    top or in place of it, is not known here, and left out."""
    spec = fields.mapping(pod.value, "spec")
    policy = fields.text(spec, "dnsPolicy") or "ClusterFirst"
    if policy == "ClusterFirst" and fields.flag(spec, "hostNetwork"):
        policy = "Default"
    below = zone.rstrip(".")
    own: tuple[str, ...] = ()
    ndots = NDOTS_ELSEWHERE
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        own = (f"{pod.namespace}.svc.{below}", f"svc.{below}", below)
        ndots = NDOTS
    more = fields.texts(spec, "dnsConfig", "searches")
    for option in fields.items(spec, "dnsConfig", "options"):
        value = fields.text(option, "value")
        if fields.text(option, "name") == "ndots" and value.isdecimal():
            ndots = min(int(value), NDOTS_MAX)
    suffixes = (each.rstrip(".") for each in (*own, *more))
    return SearchList(tuple(dict.fromkeys(each for each in suffixes if each)), ndots)


def address_of(pod: Whole) -> str:
    """status.podIP; "" for a pod that has none."""
    return fields.text(pod.value, "status", "podIP")
