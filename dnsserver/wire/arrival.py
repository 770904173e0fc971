"""Where a query came from, and where it went to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """`protocol` is "udp" or "tcp"; hosts are bare IP texts (an IPv6 scope as `fe80::1%eth0`; an IPv4 client of a
    dual-stack socket as plain IPv4). `listener` is what the socket is bound to: host (`0.0.0.0`, `::` for all) and
    port. `scheme` says what is spoken over TCP: "dns" itself, "tls" (RFC 7858) or "https" (RFC 8484)."""

    protocol: str
    client_host: str
    client_port: int
    server_host: str
    server_port: int
    listener: tuple[str, int] = ("", 0)
    scheme: str = "dns"
