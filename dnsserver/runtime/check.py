"""`dnsserver check`: load everything that can be loaded without the network, and say what would be served."""

from collections.abc import Iterator
from pathlib import Path

from dnsserver.config import Corefile, Line, Occurrence
from dnsserver.config.gotext import duration_text
from dnsserver.plugins.plugin import Plugin
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.sites import BuiltSite
from dnsserver.transports.addresses import endpoint_text


async def check(corefile: Corefile, directory: Path) -> list[str]:
    """For each server block: where it listens, and its plugins in the order in which they see a query, each as it is
    configured and, below that, what comes of it. Raises ConfigError."""
    server = ClusterDnsServer(corefile, directory)
    lines: list[str] = []
    for site in server.sites:
        lines.extend(_headline(site))
        for plugin in site.plugins:
            lines.extend(f"  {line}" for line in configured(site, plugin))
            lines.extend(f"    {line}" for line in _common(plugin))
            if plugin.check is not None:
                lines.extend(f"    {line}" for line in await plugin.check())
    return lines


def _headline(site: BuiltSite) -> Iterator[str]:
    bound = f" on {', '.join(site.bound)}" if site.bound else ""
    yield from (f"{key.shown}{bound}" for key in site.block.keys)


def configured(site: BuiltSite, plugin: Plugin) -> Iterator[str]:
    """Every occurrence of a plugin's directive on one line: `cache 30 { prefetch 10; keepttl }`."""
    directive = site.block.directive(plugin.name)
    for occurrence in () if directive is None else directive.occurrences:
        yield _words(occurrence) + _block(occurrence)


def _block(occurrence: Occurrence) -> str:
    properties = "; ".join(map(_words, occurrence.properties))
    return f" {{ {properties} }}" if properties else ""


def _words(line: Line) -> str:
    return " ".join(_word(text) for text in line.words)


def _word(text: str) -> str:
    """As it would have to be written."""
    plain = text and not text.startswith('"') and not any(char.isspace() or char == "#" for char in text)
    return text if plain else '"' + text.replace('"', '\\"') + '"'


def _common(plugin: Plugin) -> Iterator[str]:
    """What any plugin may do."""
    for route in plugin.routes:
        yield f"http://{endpoint_text(route.host, route.port)}{route.path}"
    if plugin.lameduck_s:
        yield f"answers go on for {duration_text(plugin.lameduck_s)} after SIGTERM"
