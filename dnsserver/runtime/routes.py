"""The HTTP routes of all server blocks to listeners (coredns-compat.md, section 3.3)."""

from collections.abc import Iterable

from dnsserver.config import ConfigError
from dnsserver.observability.http_sockets import addresses_of
from dnsserver.plugins.plugin import Plugin, Route
from dnsserver.transports.addresses import endpoint_text, is_wildcard

#: Host, "" for all addresses, and port of an HTTP listener.
Endpoint = tuple[str, int]
#: Its routes by path.
Routes = dict[str, Route]


def http_listeners(plugins: Iterable[Plugin]) -> dict[Endpoint, Routes]:
    """One listener per address and port, which several blocks may name. Raises ConfigError if they contradict."""
    found: dict[Endpoint, Routes] = {}
    for plugin in plugins:
        for route in plugin.routes:
            listener = found.setdefault(_endpoint(plugin, route, found), {})
            for held in listener.values():
                if (held.tls is None) != (route.tls is None):
                    raise _error(
                        plugin,
                        route,
                        f"{_text(route)} cannot be both with and without TLS, as at {held.where}: use two ports",
                    )
            other = listener.setdefault(route.path, route)
            if other.mode != route.mode:
                raise _error(
                    plugin,
                    route,
                    f"{route.path} of {_text(route)} cannot have both '{route.mode}' and, as at {other.where}, "
                    f"'{other.mode}': say the same in both blocks",
                )
    return found


def _endpoint(plugin: Plugin, route: Route, found: dict[Endpoint, Routes]) -> Endpoint:
    """The listener of *route*: one of *found*, if only under another name (localhost, 127.0.0.1), or a new one."""
    own = (route.host, route.port)
    rivals = [endpoint for endpoint in found if endpoint[1] == route.port != 0]
    if own in found or not rivals:
        return own
    addresses = addresses_of(route.host)
    for rival in rivals:
        theirs = addresses_of(rival[0])
        if addresses and addresses == theirs:
            return rival
        if _overlap(addresses, theirs):
            other = next(iter(found[rival].values()))
            raise _error(
                plugin,
                route,
                f"{_text(route)} and {_text(other)} at {other.where} cannot both be listened on: "
                "write the same address in both places, or two different ports",
            )
    return own


def _overlap(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether a socket on one of *some* is in the way of one on one of *others*."""
    return any(
        (":" in one) == (":" in other) and (one == other or is_wildcard(one) or is_wildcard(other))
        for one in some
        for other in others
    )


def _text(route: Route) -> str:
    return endpoint_text(route.host, route.port)


def _error(plugin: Plugin, route: Route, text: str) -> ConfigError:
    return ConfigError(f"plugin/{plugin.name}: {text} ({route.where})")
