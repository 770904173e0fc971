"""Whose search list is which: the same for all, or by the namespace of the pod that asks (section 14.2)."""

from collections.abc import Sequence
from typing import Protocol

from dnsserver.answering.query import Query
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.wire import names
from dnsserver.zone.policy import PodMode

_SVC = names.prefix((b"svc",))


class SearchLists(Protocol):
    """Search lists are wire names in lower case; the root, by which they all end, is left out."""

    def of(self, query: Query) -> Sequence[bytes]:
        """The search list of the client; empty when it is not known."""

    def may_begin(self, name: bytes) -> bool:
        """Whether *name* (lower case) lies below the first element of some client's list."""


class OneForAll:
    """The search list of a file."""

    def __init__(self, search: Sequence[bytes]) -> None:
        self._search = search

    def of(self, _: Query) -> Sequence[bytes]:
        return self._search

    def may_begin(self, name: bytes) -> bool:
        first = self._search[:1]
        return bool(first) and name != first[0] and names.is_below(name, first[0])


class OfPods:
    """By the pod with the client's address: its namespace, the cluster's zone, then *own*, the list of this host."""

    def __init__(self, cluster: StateAnswers, own: Sequence[bytes]) -> None:
        self._cluster = cluster
        self._own = own

    @property
    def active(self) -> bool:
        """Only pods that are watched are known."""
        return self._cluster.policy.pods is PodMode.VERIFIED

    def of(self, query: Query) -> Sequence[bytes]:
        zone = self._cluster.zone(query.name)
        if zone is None or not self.active:
            return ()
        pod = self._cluster.pod_of(query)
        if pod is None:
            return ()
        services = _SVC + zone.origin
        return (names.prefix((pod.key.namespace.encode(),)) + services, services, zone.origin, *self._own)

    def may_begin(self, name: bytes) -> bool:
        """Any namespace may have a pod: what pods there are changes without notice."""
        zone = self._cluster.zone(name)
        split = None if zone is None or not self.active else names.split_at(name, _SVC + zone.origin)
        return split is not None and len(names.labels(split[0] + names.ROOT)) > 1


class Nobody:
    """No search list is known."""

    def of(self, _: Query) -> Sequence[bytes]:
        return ()

    def may_begin(self, _: bytes) -> bool:
        return False
