"""Where a query came in, as the labels of metrics name it."""

import functools

from dnsserver.transports.addresses import endpoint_text, is_wildcard
from dnsserver.wire.arrival import Arrival

#: Listeners whose label is remembered: more than a server has.
LISTENERS_KEPT = 256


def server_label(arrival: Arrival) -> str:
    """The label `server`: `dns://:53`, `tls://[::1]:853` (coredns-compat.md, section 4.1)."""
    return _label(arrival.listener, arrival.scheme)


@functools.lru_cache(maxsize=LISTENERS_KEPT)
def _label(listener: tuple[str, int], scheme: str) -> str:
    host, port = listener
    return address_label("" if is_wildcard(host) else host, port, scheme)


def address_label(address: str, port: int, scheme: str = "dns") -> str:
    """The same for an address (`""`: all of the host's) and a port."""
    return f"{scheme}://{endpoint_text(address, port)}"
