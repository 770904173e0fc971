"""`dnsserver serve` and the embedded server: manifests, no cluster."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dnsserver.config import Origin
from dnsserver.plugins.plugin import Source, SourceFactory
from dnsserver.plugins.table import ORDER
from dnsserver.sources.manifests import ManifestSettings
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed

if TYPE_CHECKING:
    from dnsserver.sources.manifests.source import ManifestSource

#: Where a standalone server is asked, unless told otherwise: no privilege is needed, as for 53.
STANDALONE_PORT = 1053


def standalone_text(
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    zone: str = "cluster.local",
    forward: str = "",
    log: bool = False,
    options: Sequence[str] = (),
) -> str:
    """A Corefile that serves a cluster on one address; with *forward*, everything else by that server.

    What is in the cluster comes from the source that the server is given. *options* are further lines of the
    `kubernetes` block. Without *forward* no other name exists: the server is offline, and says so in the way that
    every resolver takes for an answer.
    """
    zones = (zone, "in-addr.arpa", "ip6.arpa")
    lines = [
        f".:{port} {{",
        f"bind {_quoted(address)}",
        "errors",
        *(["log"] if log else []),
        f"kubernetes {' '.join(_quoted(name) for name in zones)} {{",
        "pods insecure",
        "fallthrough in-addr.arpa ip6.arpa",
        *options,
        "}",
        f"forward . {_quoted(forward)}" if forward else "offline",
        "}",
    ]
    return "\n".join(lines)


def given(text: str) -> Origin:
    """A Corefile that stands in no file."""
    return Origin(path=Path("<command line>"), text=text, directives=ORDER, environ=os.environ)


class MemoryManifests:
    """Manifests that are in memory, besides or in place of files; `source` is there once the server has started."""

    def __init__(self, settings: ManifestSettings) -> None:
        self._settings = settings
        self.source: ManifestSource | None = None

    @property
    def factory(self) -> SourceFactory:
        return self._make

    async def _make(self, state: ClusterState, feeds: frozenset[Feed]) -> Source:
        # Imported here: reading YAML and watching folders is of no use to a live cluster.
        from dnsserver.sources.manifests.source import ManifestSource

        self.source = ManifestSource(replace(self._settings, feeds=feeds), state)
        await self.source.load()
        return self.source


def _quoted(text: str) -> str:
    """*text* as one token: a path may hold blanks, and `#` would begin a comment."""
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
