"""`dnsserver check`: load everything that can be loaded without the network, and say what would be served."""

from collections.abc import Iterator
from pathlib import Path

from dnsserver.config import Corefile
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.sites import BuiltSite


async def check(corefile: Corefile, directory: Path) -> list[str]:
    """Lines that say which zone goes where. Raises ConfigError."""
    server = ClusterDnsServer(corefile, directory)
    lines: list[str] = []
    for site in server.sites:
        lines.extend(_headline(site))
        for plugin in site.plugins:
            lines.append(f"  {plugin.name}")
            if plugin.check is not None:
                lines.extend(f"    {line}" for line in await plugin.check())
    return lines


def _headline(site: BuiltSite) -> Iterator[str]:
    bound = f" on {', '.join(site.bound)}" if site.bound else ""
    yield from (f"{key.shown}{bound}" for key in site.block.keys)
