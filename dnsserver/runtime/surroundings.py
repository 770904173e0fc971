"""What a process of the server has of the processes around it; by itself it has nothing of the kind."""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dnsserver.observability.families import AnyFamily
from dnsserver.plugins.plugin import Reloading
from dnsserver.runtime.reloading import NEVER
from dnsserver.store.keeping import InMemory, Keep
from dnsserver.transports.binding import BoundSockets
from dnsserver.transports.responder import Responder

#: What is listened on: scheme of the server key, or HTTP; address, "" for all; port as the Corefile has it.
Where = tuple[str, str, int]
#: Makes another responder of the server's own.
Between = Callable[[Responder], Responder]
#: In place of a scheme, for probes and metrics.
HTTP = "http"


@dataclass(frozen=True, slots=True)
class Role:
    """`follows`: has the sources and the probes. `answers`: has the DNS sockets."""

    follows: bool
    answers: bool


#: Both in one process: `--workers 0`, and embedded.
WHOLE = Role(follows=True, answers=True)
CONTROL = Role(follows=True, answers=False)
WORKER = Role(follows=False, answers=True)


@dataclass(frozen=True, slots=True)
class OpenSockets:
    """Sockets that are open already, by what they listen on; whoever takes them closes them."""

    dns: Mapping[Where, BoundSockets] = field(default_factory=dict)
    http: Mapping[Where, tuple[socket.socket, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[socket.socket]:
        for bound in self.dns.values():
            yield from (*bound.udp, *bound.tcp)
        for sockets in self.http.values():
            yield from sockets


def _none_open(_: Iterable[Where]) -> OpenSockets:
    return OpenSockets()


def _no_families() -> Iterable[AnyFamily]:
    return ()


def _nowhere(_: Where) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`keep` is where the states of clusters are. `sockets` gives those that are open already in the places that it is
    asked for; the others the process opens itself. `handed_over`: says at the end whether somebody else goes on with
    the sockets of a place. `succeeds`: the process takes the place of one that goes on until then, so it shows itself
    only when it has all that it waits for. `families` are the metrics of the others, `process` is the id of their
    parent (0: there are no others), `unmanned` says why none of them answers, "" when one does. `judged` is the share
    of quick answers, 0 to 1, that are compared with the plain path's, `room` the part of the usual octets that hot
    answers may take. `reloading` is the way to another configuration."""

    role: Role = WHOLE
    keep: Keep = InMemory
    sockets: Callable[[Iterable[Where]], OpenSockets] = _none_open
    handed_over: Callable[[Where], bool] = _nowhere
    succeeds: bool = False
    families: Callable[[], Iterable[AnyFamily]] = _no_families
    process: int = 0
    unmanned: Callable[[], str] = str
    judged: float = 0.0
    room: float = 1.0
    reloading: Reloading = NEVER
    between: Between | None = None
    """What stands between the sockets and the answers, for tests of clients. It sees every query, so no reply is given
    without the chain then."""
    shared: bool = False
    """Whether another server of this user may serve on the same addresses at the same time (transports.sharing)."""
    folder: Callable[[], Path] | None = None
    """Where plugins keep what all processes share, and the server after this one; None: a temporary folder of this
    server."""
