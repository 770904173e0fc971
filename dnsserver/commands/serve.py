"""`dnsserver serve`: the DNS of the cluster that manifests describe, without that cluster."""

import argparse
from pathlib import Path

from dnsserver.commands.arguments import add_processes, standard_input
from dnsserver.commands.printing import fail, say
from dnsserver.commands.serving import served
from dnsserver.config import ConfigError
from dnsserver.observability import logs
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.serving import StartError
from dnsserver.runtime.standalone import MemoryManifests, given, standalone_text
from dnsserver.sources.manifests import ManifestError, ManifestSettings

STANDALONE_PORT = 1053
#: Questions that are suggested.
EXAMPLES_MAX = 12


def run(words: list[str]) -> int:
    options = _parser().parse_args(words)
    logs.configure()
    paths = tuple(Path(path) for path in options.paths or ["."] if path != "-")
    try:
        text = standard_input() if "-" in options.paths else None
        origin = given(
            standalone_text(
                address=options.address,
                port=options.port,
                zone=options.zone,
                forward=options.forward,
                log=options.log,
            )
        )
        return served(
            origin.read(),
            origin,
            options,
            lambda server: _suggest(server, options.address, options.port),
            MemoryManifests(ManifestSettings(paths=paths, documents=text)).factory,
        )
    except (ConfigError, ManifestError, StartError) as error:
        return fail(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver serve",
        allow_abbrev=False,
        description="Serve the DNS of the cluster that these manifests describe; offline unless --forward is given.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files and folders of YAML or JSON, - for standard input (default: .)",
    )
    parser.add_argument(
        "--port", type=int, default=STANDALONE_PORT, help=f"UDP and TCP (default {STANDALONE_PORT})"
    )
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--zone", default="cluster.local", help="the cluster's zone (default cluster.local)")
    parser.add_argument("--forward", metavar="ADDR", default="", help="server that resolves all other names")
    parser.add_argument("--log", action="store_true", help="print each query")
    add_processes(parser, "0")
    return parser


def _suggest(server: ClusterDnsServer, address: str, port: int) -> None:
    examples = [example for plugin in server.plugins() if plugin.examples for example in plugin.examples()]
    lines = [f"Serving on {address} port {port}, UDP and TCP. Try:", ""]
    lines += [f"  dig @{address} -p {port} {name} {rtype}" for name, rtype in examples[:EXAMPLES_MAX]]
    hosts = [name for name, rtype in examples if rtype == "A"]
    lines += [f"  nslookup -port={port} {name} {address}" for name in hosts[:1]]
    say("\n".join((*lines, "", "Stop with Ctrl-C.")))
