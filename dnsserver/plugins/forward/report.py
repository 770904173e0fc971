"""Whom a `forward` asks, for people: `dnsserver check`."""

from dnsserver.plugins.forward.addresses import HostName, To
from dnsserver.plugins.forward.settings import ForwardSettings
from dnsserver.wire import names


def check_line(settings: ForwardSettings) -> str:
    """`. -> 10.0.0.53:53, 10.0.0.54:53; random`; files have become the servers in them."""
    zone = names.to_text(settings.zone)
    if settings.excepted:
        zone += f" but for {' '.join(map(names.to_text, settings.excepted))}"
    transport = "; by TCP" if settings.force_tcp else "; by UDP" if settings.prefer_udp else ""
    return f"{zone} -> {', '.join(map(_shown, settings.upstreams))}; {settings.policy}{transport}"


def _shown(to: To) -> str:
    scheme = "" if to.scheme == "dns" else f"{to.scheme}://"
    looked_up = " (looked up at the start)" if isinstance(to, HostName) else ""
    return f"{scheme}{to}{looked_up}"
