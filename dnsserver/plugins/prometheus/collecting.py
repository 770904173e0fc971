"""Every number that the server has, in one place."""

import sys
from collections.abc import Iterator

import dnsserver
from dnsserver.observability.dns_metrics import PLACE, dns_families
from dnsserver.observability.families import AnyFamily, Family, Kind
from dnsserver.plugins.plugin import Server
from dnsserver.plugins.prometheus.transports import transport_families


def all_families(server: Server) -> Iterator[AnyFamily]:
    """Those of this process, and those of the others."""
    yield from own_families(server)
    yield from server.others()


def own_families(server: Server) -> Iterator[AnyFamily]:
    """The metrics of queries, of sockets, and of each plugin that has some."""
    measured = server.measured()
    yield _build_info()
    yield Family(
        "coredns_plugin_enabled",
        Kind.GAUGE,
        "1 for each plugin in the chain of a server block.",
        (*PLACE, "name"),
        tuple((labels, 1) for labels in measured.enabled),
        max,
    )
    yield from dns_families(measured.queries)
    yield from transport_families(measured.transports)
    for plugin in server.plugins():
        if plugin.metrics is not None:
            yield from plugin.metrics()


def _build_info() -> Family:
    """`goversion` has the interpreter, as what the server runs by."""
    python = "python" + ".".join(map(str, sys.version_info[:3]))
    labels = ("version", "revision", "goversion")
    values = (dnsserver.__version__, "", python)
    return Family("coredns_build_info", Kind.GAUGE, "1; which program this is.", labels, ((values, 1),), max)
