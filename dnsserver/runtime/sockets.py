"""The sockets of a configuration: those that are open already are kept, the others opened."""

import contextlib
import socket
from collections.abc import Iterable, Mapping, Sequence

from dnsserver.observability.http_sockets import bind_http
from dnsserver.runtime.sites import BuiltListener
from dnsserver.runtime.surroundings import HTTP, OpenSockets, Where
from dnsserver.transports.binding import BoundSockets, Prepare, bind_all
from dnsserver.transports.sharing import share

HttpSockets = dict[Where, tuple[socket.socket, ...]]
DnsSockets = dict[Where, BoundSockets]


def bind_for_workers(
    built: Sequence[BuiltListener],
    workers: int,
    held: Sequence[Mapping[Where, BoundSockets]] = (),
    *,
    shared: bool = False,
) -> tuple[DnsSockets, ...]:
    """For each of *workers* the sockets of each listener: those of *held*, by worker, or new ones. ListenError and no
    new one at all when one cannot be opened.

    Every worker has UDP sockets of its own, among which the kernel shares out the clients (SO_REUSEPORT in socket(7)).
    The TCP sockets are the same for all: who comes first accepts. *shared*: as in Surroundings.
    """
    prepare = _preparing(shared)
    with contextlib.ExitStack() as failed:
        found: tuple[DnsSockets, ...] = tuple({} for _ in range(workers))
        for each in built:
            first = held[0].get(each.where) if held else None
            if first is None:
                first = bind_all(
                    [(each.address, each.port)],
                    protocols=_protocols(each),
                    reuse_udp_port=True,
                    prepare=prepare,
                )
                failed.callback(first.close)
            for number, sockets in enumerate(found):
                own = held[number].get(each.where) if number < len(held) else None
                if own is None and number:
                    bound = bind_all(
                        first.udp_endpoints, protocols=("udp",), reuse_udp_port=True, prepare=prepare
                    )
                    own = BoundSockets(bound.udp, first.tcp)
                    failed.callback(own.close_udp)
                sockets[each.where] = own or first
        failed.pop_all()
    return found


def _protocols(built: BuiltListener) -> tuple[str, ...]:
    return ("tcp", "udp") if built.scheme == "dns" else ("tcp",)


def _preparing(shared: bool) -> Prepare:
    return share if shared else lambda _: None


def bind_alone(
    built: Iterable[BuiltListener], held: Mapping[Where, BoundSockets], *, shared: bool = False
) -> DnsSockets:
    """The same for one process, whose UDP ports nobody else shall open unless they are *shared*."""
    with contextlib.ExitStack() as failed:
        found: DnsSockets = {}
        for each in built:
            found[each.where] = held.get(each.where) or bind_all(
                [(each.address, each.port)], protocols=_protocols(each), prepare=_preparing(shared)
            )
            failed.callback(found[each.where].close)
        failed.pop_all()
    return found


def bind_http_places(
    endpoints: Iterable[tuple[str, int]], held: OpenSockets, *, shared: bool = False
) -> HttpSockets:
    """The sockets of HTTP listeners. HttpListenError, and no new one, when one cannot be opened."""
    with contextlib.ExitStack() as failed:
        found: HttpSockets = {}
        for host, port in endpoints:
            sockets = held.http.get((HTTP, host, port), ())
            if not sockets:
                sockets = tuple(bind_http(host, port, _preparing(shared)))
                for sock in sockets:
                    failed.callback(sock.close)
            found[HTTP, host, port] = sockets
        failed.pop_all()
    return found


def duplicates(held: OpenSockets, wanted: Iterable[Where]) -> OpenSockets:
    """Of *held* those that are *wanted*, once more: for another owner in the same process."""
    places = set(wanted)
    return OpenSockets(
        {
            where: BoundSockets(_copies(bound.udp), _copies(bound.tcp))
            for where, bound in held.dns.items()
            if where in places
        },
        {where: _copies(sockets) for where, sockets in held.http.items() if where in places},
    )


def _copies(sockets: Iterable[socket.socket]) -> tuple[socket.socket, ...]:
    return tuple(sock.dup() for sock in sockets)
