"""What commands look at that serve nothing: manifests, or a Corefile."""

import argparse
from pathlib import Path

from dnsserver.commands.arguments import add_paths, corefile_origin, standard_input
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.standalone import STANDALONE_PORT, MemoryManifests, given, standalone_text
from dnsserver.sources.manifests import ManifestSettings

#: Of server blocks that name none, as CoreDNS has it.
DNS_PORT = 53


def add_described(parser: argparse.ArgumentParser) -> None:
    """PATH..., -conf and --zone."""
    add_paths(parser)
    parser.add_argument(
        "-conf", "--conf", metavar="FILE", help="what this Corefile serves; 'stdin' reads it there"
    )
    parser.add_argument(
        "--zone", default="cluster.local", help="the cluster's zone, for PATH (default cluster.local)"
    )


def described(options: argparse.Namespace) -> ClusterDnsServer:
    """The server that would serve what *options* name; it is not to be started. Raises ConfigError."""
    if options.conf is not None:
        return described_by_corefile(options.conf)
    return described_by_manifests(options.paths or ["."], options.zone)


def described_by_corefile(conf: str) -> ClusterDnsServer:
    origin = corefile_origin(conf, DNS_PORT)
    return ClusterDnsServer(origin.read(), origin.directory)


def described_by_manifests(words: list[str], zone: str) -> ClusterDnsServer:
    """As `dnsserver serve` would serve them."""
    paths = tuple(Path(word) for word in words if word != "-")
    text = standard_input() if "-" in words else None
    return described_by(ManifestSettings(paths=paths, documents=text), zone)


def described_by(settings: ManifestSettings, zone: str) -> ClusterDnsServer:
    origin = given(standalone_text(port=STANDALONE_PORT, zone=zone))
    return ClusterDnsServer(origin.read(), Path(), source=MemoryManifests(settings).factory)
