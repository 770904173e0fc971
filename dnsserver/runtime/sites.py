"""Server blocks to sites: the plugins of a block around each other, and where it listens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dnsserver.answering.query import Query
from dnsserver.config import ConfigError, Corefile, ListenEntry, ServerBlock, listeners
from dnsserver.observability.counters import DROPPED, Meter, QueryCounters
from dnsserver.plugins.place import address_label
from dnsserver.plugins.plugin import (
    Handler,
    Plugin,
    Repeats,
    Server,
    Site,
    SourceFactory,
    chain,
)
from dnsserver.plugins.table import ORDER, SETUPS
from dnsserver.runtime.passage import Passage
from dnsserver.runtime.surroundings import Where
from dnsserver.store.keeping import InMemory, Keep
from dnsserver.transports.certificates import Certificates
from dnsserver.transports.limits import StreamTimeouts, TransportCounters
from dnsserver.transports.service import PLAIN, Service, dns_over_https, dns_over_tls
from dnsserver.wire import names

#: Schemes of server keys that are known and refused, each with what it would need.
REFUSED_SCHEMES = {
    "quic": "DNS over QUIC (RFC 9250) needs a QUIC stack; tls:// encrypts as well",
    "https3": "HTTP/3 needs a QUIC stack; https:// serves the same clients by HTTP/2",
    "grpc": "DNS over gRPC is spoken by CoreDNS alone; use tls:// or https:// between servers",
}


@dataclass(frozen=True, slots=True)
class BuiltSite:
    """One server block, ready to answer. `plugins` stand in the order of the chain."""

    block: ServerBlock
    plugins: tuple[Plugin, ...]
    handler: Handler
    bound: tuple[str, ...]

    @property
    def classes_beyond_in(self) -> bool:
        return any(plugin.classes_beyond_in for plugin in self.plugins)

    @property
    def passage(self) -> Passage:
        """What is answered without the chain."""
        return Passage(
            tuple(each for each in self.plugins if each.wrap is not None or each.repeatable is not None)
        )

    @property
    def reads_options(self) -> bool:
        return any(plugin.reads_options for plugin in self.plugins)

    @property
    def shuffles(self) -> bool:
        return any(plugin.repeats is Repeats.SHUFFLED for plugin in self.plugins)

    @property
    def filtered(self) -> bool:
        """Whether the block may share its zones with others."""
        return any(plugin.takes is not None for plugin in self.plugins)

    def takes(self, query: Query) -> bool:
        return all(plugin.takes is None or plugin.takes(query) for plugin in self.plugins)

    @property
    def counted(self) -> bool:
        return any(plugin.counted for plugin in self.plugins)


@dataclass(frozen=True, slots=True)
class BuiltListener:
    """One address (`""`: all addresses of the host) and port, with its sites by zone (wire names, lower case).

    The key of a site with a view has more octets behind its zone, where no name has any: so zones may have several, in
    the order of the file.
    """

    address: str
    port: int
    sites: dict[bytes, BuiltSite]
    scheme: str = "dns"

    @property
    def label(self) -> str:
        return address_label(self.address, self.port, self.scheme)

    @property
    def certificates(self) -> Certificates | None:
        """Of whichever site has them: they are shown before the client has asked for any name."""
        found = (plugin.certificates for site in self.sites.values() for plugin in site.plugins)
        return next((each for each in found if each is not None), None)

    @property
    def timeouts(self) -> tuple[StreamTimeouts, ...]:
        """Those of the sites, the ones that count most last."""
        found = (plugin.timeouts for site in self.sites.values() for plugin in site.plugins)
        return tuple(each for each in found if each is not None)

    @property
    def https_connections(self) -> int:
        """Clients that an HTTPS listener may have at a time; 0: as many as all encrypted ones together."""
        found = [plugin.https_connections for site in self.sites.values() for plugin in site.plugins]
        said = [each for each in found if each is not None] if self.scheme == "https" else []
        return said[0] if said else 0

    def service(self, counters: TransportCounters) -> Service:
        """What is spoken on the TCP sockets; replies by HTTP are counted into *counters*."""
        found = self.certificates
        if self.scheme == "https":
            return dns_over_https(found, partial(counters.count_https, self.label))
        if self.scheme == "tls" and found is not None:
            return dns_over_tls(found)
        return PLAIN

    @property
    def where(self) -> Where:
        return self.scheme, self.address, self.port

    def meter(self, counters: QueryCounters) -> Meter:
        """Counts into *counters* what the sites with `prometheus` answer, and what no site takes."""
        server = self.label
        zones = {
            key: counters.zone(server, names.to_text(key), _view(site.block))
            for key, site in self.sites.items()
            if site.counted
        }
        return Meter(zones, counters.zone(server, DROPPED))


def build_site(
    block: ServerBlock,
    server: Server,
    directory: Path,
    source: SourceFactory | None = None,
    keep: Keep = InMemory,
) -> BuiltSite:
    """Set the block's plugins up, in the order of the table. Raises ConfigError."""
    for key in block.keys:
        if key.scheme in REFUSED_SCHEMES:
            raise ConfigError(
                f"{block.file}:{block.line} - Error during parsing: scheme '{key.scheme}://' of '{key.text}' "
                f"is not supported: {REFUSED_SCHEMES[key.scheme]}"
            )
    plugins: list[Plugin] = []
    site = Site(
        zones=block.zones,
        server=server,
        directory=directory,
        source=source,
        keep=keep,
        block=lambda: tuple(plugins),
        view=_view(block),
    )
    for name in ORDER:
        directive = block.directive(name)
        if directive is None:
            continue
        setup = SETUPS.get(name)
        if setup is None:
            raise directive.missing_plugin()
        plugin = setup(directive, site)
        if plugin.bind:
            site = replace(site, bound=plugin.bind)
        if plugin.directory is not None:
            site = replace(site, directory=plugin.directory)
        plugins.append(plugin)
    for plugin in plugins:
        if plugin.meet is not None:
            plugin.meet(tuple(plugins))
    return BuiltSite(block, tuple(plugins), chain(tuple(plugins)), site.bound)


def _view(block: ServerBlock) -> str:
    """The name of the block's view; plugins that stand before it in the order want to know."""
    directive = block.directive("view")
    words = () if directive is None else directive.occurrences[0].texts
    return words[0] if words else ""


def build_sites(
    corefile: Corefile,
    server: Server,
    directory: Path,
    source: SourceFactory | None = None,
    keep: Keep = InMemory,
) -> tuple[BuiltSite, ...]:
    """All server blocks of *corefile*; *source* and *keep* as in Site. Raises ConfigError, StoreError."""
    return tuple(build_site(block, server, directory, source, keep) for block in corefile.blocks)


def enabled_plugins(sites: Sequence[BuiltSite]) -> Iterator[tuple[str, str, str, str]]:
    """Address, zone, view and name of the plugins in the chains of the sites that are counted."""
    for site in sites:
        chained = [plugin.name for plugin in site.plugins if plugin.wrap is not None or plugin.counted]
        for key in site.block.keys if site.counted else ():
            for address in site.bound or ("",):
                server = address_label(address, key.port, key.scheme)
                yield from ((server, key.zone, _view(site.block), name) for name in chained)


def build_listeners(sites: Sequence[BuiltSite]) -> tuple[BuiltListener, ...]:
    """The sockets to open, each with the sites that answer on it. Raises ConfigError for a zone served twice."""
    owners: dict[ListenEntry, BuiltSite] = {}
    for site in sites:
        where = f"{site.block.file}:{site.block.line}"
        for key in site.block.keys:
            for address in site.bound or ("",):
                entry = ListenEntry(key.scheme, key.zone, key.port, address, where, site.filtered)
                if entry in owners:
                    listeners([entry, entry])  # the one place that words this error
                owners[entry] = site
    built = tuple(
        BuiltListener(
            found.address,
            found.port,
            dict(_keyed((entry, owners[entry]) for entry in found.entries)),
            found.scheme,
        )
        for found in listeners(list(owners))
    )
    _check_streams(built)
    return built


def _keyed(found: Iterable[tuple[ListenEntry, BuiltSite]]) -> Iterator[tuple[bytes, BuiltSite]]:
    """As BuiltListener.sites."""
    for number, (entry, site) in enumerate(found):
        view = f"{number}".encode() if entry.filtered else b""
        yield names.from_text(entry.zone) + view, site


def _check_streams(built: Sequence[BuiltListener]) -> None:
    """One TCP port speaks one language, and with one certificate. Raises ConfigError."""
    owners: dict[tuple[str, int], BuiltListener] = {}
    for each in built:
        block = next(iter(each.sites.values())).block
        where = f"{block.file}:{block.line}"
        other = owners.setdefault((each.address, each.port), each)
        if each.port and other is not each:
            raise ConfigError(
                f"cannot serve {each.label} - {other.label} listens on the same TCP port ({where})"
            )
        if each.scheme == "tls" and each.certificates is None:
            # CoreDNS would serve plain TCP, which RFC 7858 section 3.1 forbids on port 853.
            raise ConfigError(
                f"cannot serve {each.label} - it has no certificate: add `tls CERT KEY` ({where})"
            )
        files = {
            plugin.certificates.files
            for site in each.sites.values()
            for plugin in site.plugins
            if plugin.certificates is not None
        }
        if len(files) > 1:
            raise ConfigError(
                f"cannot serve {each.label} - its server blocks have different `tls`, and a client has its"
                f" certificate before it names a zone: write the same in all, or use ports of their own ({where})"
            )
