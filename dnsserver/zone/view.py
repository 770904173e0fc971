"""A zone as lookups see it: an owner name to the node that is there (cluster-dns-behaviour.md, section 2)."""

from collections import OrderedDict
from collections.abc import Sequence

from dnsserver.wire import names
from dnsserver.zone import apex
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ObjectKey
from dnsserver.zone.pod_names import pod_node
from dnsserver.zone.policy import PodMode, RecordPolicy
from dnsserver.zone.reverse import is_reverse, reverse_node
from dnsserver.zone.rrset import EMPTY_NODE, Node, RRset
from dnsserver.zone.service_names import NO_NAMES, ServiceNames, service_names

#: Services whose names are kept made between two changes. A headless Service of 1,000 endpoints costs about a
#: millisecond to make; 1,024 of ordinary size take a few MiB.
KEPT_SERVICES = 1024


class ServiceTable:
    """The names below each Service, made when first asked for and dropped when the Service changes."""

    def __init__(self, state: ClusterState, policy: RecordPolicy) -> None:
        self._state = state
        self._policy = policy
        self._made: OrderedDict[ObjectKey, ServiceNames] = OrderedDict()
        state.subscribe(self._forget)

    def names_of(self, key: ObjectKey) -> ServiceNames:
        made = self._made.get(key)
        if made is not None:
            self._made.move_to_end(key)
            return made
        service = self._state.service(key)
        if service is None:
            return NO_NAMES
        made = service_names(service, self._state.slices_of(key), self._policy)
        self._made[key] = made
        if len(self._made) > KEPT_SERVICES:
            self._made.popitem(last=False)
        return made

    def _forget(self, keys: frozenset[ObjectKey]) -> None:
        for key in keys:
            self._made.pop(key, None)


class ZoneView:
    """One configured zone over the cluster's state: forward records, or PTR records in a reverse zone.

    `origin` is lower case; `primary` is the zone that PTR targets lie in.
    """

    def __init__(
        self, origin: bytes, primary: bytes, state: ClusterState, policy: RecordPolicy, services: ServiceTable
    ) -> None:
        self.origin = origin
        self.state = state
        self._primary = primary
        self._policy = policy
        self._services = services
        self._reverse = is_reverse(origin)

    def __repr__(self) -> str:
        return f"<ZoneView {names.to_text(self.origin)}>"

    @property
    def soa(self) -> RRset:
        return apex.soa(self.state, self._policy)

    def node(self, relative: bytes) -> Node | None:
        """What is at the name with the labels *relative* (a wire prefix in lower case) left of the origin."""
        fixed = apex.fixed_node(relative, self.state, self._policy)
        if fixed is not None:
            return fixed
        if self._reverse:
            name = relative + self.origin
            return reverse_node(name, self.state, self._policy, self._primary, self._exposed)
        return self._forward(names.labels(relative + names.ROOT))

    def _forward(self, labels: Sequence[bytes]) -> Node | None:
        kind = labels[-1]
        if kind not in (b"svc", b"pod"):
            return None
        if len(labels) == 1:
            return EMPTY_NODE
        namespace = labels[-2].decode("latin-1")
        if not self._exposed(namespace):
            return None
        if kind == b"pod":
            return self._pod(labels, namespace)
        if len(labels) == 2:
            return EMPTY_NODE
        return self._below_service(labels[:-3], ObjectKey(namespace, labels[-3].decode("latin-1")))

    def _pod(self, labels: Sequence[bytes], namespace: str) -> Node | None:
        if self._policy.pods is PodMode.DISABLED or len(labels) > 3:
            return None
        if len(labels) == 2:
            return EMPTY_NODE
        return pod_node(labels[0].decode("latin-1"), namespace, self.state, self._policy)

    def _below_service(self, labels: Sequence[bytes], key: ObjectKey) -> Node | None:
        found = self._services.names_of(key)
        exact = found.get(names.prefix(labels))
        if exact is not None or len(labels) not in (1, 2):
            return exact
        # The underscores of port and protocol are optional (an extension, section 2); they cannot be empty.
        if any(label == b"_" for label in labels):
            return None
        return found.get(names.prefix(b"_" + label.removeprefix(b"_") for label in labels))

    def _exposed(self, namespace: str) -> bool:
        listed = self._policy.namespaces
        return (not listed or namespace in listed) and self.state.has_namespace(namespace)
