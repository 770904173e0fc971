"""What a process of the server has of the processes around it; by itself it has nothing of the kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dnsserver.observability.families import AnyFamily
from dnsserver.store.keeping import InMemory, Keep
from dnsserver.transports.binding import BoundSockets


@dataclass(frozen=True, slots=True)
class Role:
    """`follows`: has the sources and the probes. `answers`: has the DNS sockets."""

    follows: bool
    answers: bool


#: Both in one process: `--workers 0`, and embedded.
WHOLE = Role(follows=True, answers=True)
CONTROL = Role(follows=True, answers=False)
WORKER = Role(follows=False, answers=True)


def _no_families() -> Iterable[AnyFamily]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`keep` is where the states of clusters are. `sockets` are open already, one entry for each address that the
    Corefile names; none: the process opens its own. `handed_over`: says at the end that another process goes on with
    the sockets. `families` are the metrics of the others, `process` is the id of
    their parent (0: there are no others), `unmanned` says why none of them answers, "" when one does.
    `judged` is the share of quick answers, 0 to 1, that are compared with the plain path's, `room` the part
    of the usual octets that hot answers may take."""

    role: Role = WHOLE
    keep: Keep = InMemory
    sockets: tuple[BoundSockets, ...] = ()
    handed_over: Callable[[], bool] = bool
    families: Callable[[], Iterable[AnyFamily]] = _no_families
    process: int = 0
    unmanned: Callable[[], str] = str
    judged: float = 0.0
    room: float = 1.0
    folder: Path | None = None
    """Where plugins keep what all processes share; None: a temporary folder of this process."""
