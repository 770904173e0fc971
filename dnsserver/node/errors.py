"""What can go wrong on a node, and how it is counted."""

import logging
from collections.abc import Iterator
from enum import StrEnum

from dnsserver.observability.families import AnyFamily, Family, Kind

LOG = logging.getLogger("dnsserver.node")


class ErrorType(StrEnum):
    """The values of the label `errortype`: those of node-cache."""

    IPTABLES = "iptables"
    IPTABLES_LOCK = "iptables_lock"
    INTERFACE_ADD = "interface_add"
    INTERFACE_CHECK = "interface_check"
    CONFIGMAP = "configmap"


class NodeError(Exception):
    """Something on the node, or in what it was given, is not as it must be; the text says what to mend."""

    def __init__(self, kind: ErrorType, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class SetupErrors:
    """Errors that do not end the service: told and counted."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(ErrorType, 0)

    def tell(self, error: NodeError) -> None:
        self._counts[error.kind] += 1
        LOG.error("%s", error)

    def families(self) -> Iterator[AnyFamily]:
        """Every kind from the start, so that an increase from zero is seen."""
        yield Family(
            "coredns_nodecache_setup_errors_total",
            Kind.COUNTER,
            "The number of errors during periodic network setup for node-cache",
            ("errortype",),
            tuple(((str(kind),), float(count)) for kind, count in self._counts.items()),
        )
