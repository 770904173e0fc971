"""What is measured of the traffic with the API server, and told to whoever counts it.

The names and labels of the metrics are client-go's (coredns-compat.md, section 4.2); all requests are GETs.
"""

from datetime import datetime
from typing import Protocol

from dnsserver.sources.structs import SliceObject
from dnsserver.zone.objects import Service

#: Stands for the status code of a request that got no answer (client-go, rest/request.go).
NO_ANSWER = "<error>"


class Meter(Protocol):
    """`host` is HOST:PORT of the API server; times are seconds."""

    def held_back(self, host: str, seconds: float) -> None:
        """A request has waited for `apiserver_qps`."""

    def requested(self, host: str, code: str) -> None:
        """A request was answered with the status *code*, or NO_ANSWER."""

    def took(self, host: str, seconds: float) -> None:
        """A list was there, its body included; watches have no such time."""

    def programmed(self, service: Service, seconds: float) -> None:
        """From the change of a slice of *service* until it can be served."""


class Unmetered:
    """Nobody counts."""

    def held_back(self, host: str, seconds: float) -> None: ...

    def requested(self, host: str, code: str) -> None: ...

    def took(self, host: str, seconds: float) -> None: ...

    def programmed(self, service: Service, seconds: float) -> None: ...


def trigger_time(obj: SliceObject) -> float | None:
    """Unix seconds of the change that led to this version of *obj*; None when it does not say. Raises ValueError."""
    annotations = obj.metadata.annotations if obj.metadata else None
    text = annotations.trigger_time if annotations else None
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("the time has no zone")
    return found.timestamp()
