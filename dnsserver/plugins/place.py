"""Where a query came in, as the labels of metrics name it."""

from dnsserver.transports.addresses import endpoint_text, is_wildcard
from dnsserver.wire.arrival import Arrival


def server_label(arrival: Arrival) -> str:
    """The label `server`: `dns://:53`, `tls://[::1]:853` (coredns-compat.md, section 4.1)."""
    host, port = arrival.listener
    return address_label("" if is_wildcard(host) else host, port, arrival.scheme)


def address_label(address: str, port: int, scheme: str = "dns") -> str:
    """The same for an address (`""`: all of the host's) and a port."""
    return f"{scheme}://{endpoint_text(address, port)}"
