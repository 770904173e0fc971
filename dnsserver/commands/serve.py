"""`dnsserver serve`: the DNS of the cluster that manifests describe, without that cluster."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dnsserver.commands.arguments import add_paths, add_processes, standard_input
from dnsserver.commands.printing import fail, say
from dnsserver.commands.serving import served
from dnsserver.config import ConfigError
from dnsserver.observability import logs
from dnsserver.runtime.processes.cpus import worker_count
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.serving import StartError
from dnsserver.runtime.standalone import STANDALONE_PORT, MemoryManifests, given, standalone_text
from dnsserver.runtime.surroundings import Between
from dnsserver.sources.manifests import ManifestError, ManifestSettings

#: Questions that are suggested.
EXAMPLES_MAX = 12


def run(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    logs.configure()
    if (options.seed is not None or options.transcript) and not options.faults:
        parser.error("--seed and --transcript are for --faults: give a file of faults")
    if options.faults and worker_count(options.workers):
        parser.error("--faults counts how often each question comes, in one process: leave --workers out")
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
        with _faults(options) as between:
            return served(
                origin.read(),
                origin,
                options,
                lambda server: _suggest(server, options),
                MemoryManifests(ManifestSettings(paths=paths, documents=text)).factory,
                between,
            )
    except (ConfigError, ManifestError, StartError) as error:
        return fail(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver serve",
        allow_abbrev=False,
        description="Serve the DNS of the cluster that these manifests describe; offline unless --forward is given.",
    )
    add_paths(parser)
    parser.add_argument(
        "--port", type=int, default=STANDALONE_PORT, help=f"UDP and TCP (default {STANDALONE_PORT})"
    )
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--zone", default="cluster.local", help="the cluster's zone (default cluster.local)")
    parser.add_argument("--forward", metavar="ADDR", default="", help="server that resolves all other names")
    parser.add_argument("--log", action="store_true", help="print each query")
    parser.add_argument(
        "--faults",
        metavar="FILE",
        type=Path,
        help="what is to go wrong, for tests of clients (docs/testing.md)",
    )
    parser.add_argument("--seed", metavar="N", type=int, help="of the faults' probabilities (default 0)")
    parser.add_argument(
        "--transcript", metavar="FILE", type=Path, help="note each exchange there, a JSON object a line"
    )
    add_processes(parser, "0")
    return parser


@contextmanager
def _faults(options: argparse.Namespace) -> Iterator[Between | None]:
    """What --faults puts between the sockets and the answers. Raises ConfigError."""
    if options.faults is None:
        yield None
        return
    # Imported here: a server that does all right needs none of it.
    from dnsserver.commands.faulty import faults_of

    with faults_of(options.faults, options.seed or 0, options.transcript) as faults:
        yield faults.around


def _suggest(server: ClusterDnsServer, options: argparse.Namespace) -> None:
    address, port = options.address, options.port
    examples = [example for plugin in server.plugins() if plugin.examples for example in plugin.examples()]
    if not examples:  # there are no Services, or other processes know them
        say(f"Serving on {address} port {port}, UDP and TCP. Stop with Ctrl-C.{_of_names(options.admin)}")
        return
    lines = [f"Serving on {address} port {port}, UDP and TCP. Try:", ""]
    lines += [f"  dig @{address} -p {port} {name} {rtype}" for name, rtype in examples[:EXAMPLES_MAX]]
    hosts = [name for name, rtype in examples if rtype == "A"]
    lines += [f"  nslookup -port={port} {name} {address}" for name in hosts[:1]]
    say("\n".join((*lines, "", "Stop with Ctrl-C.")))


def _of_names(admin: tuple[str, int] | None) -> str:
    """Who tells the names that are served, where there is such an endpoint at *admin*."""
    if admin is None or not admin[1]:
        return ""
    host = f"[{admin[0]}]" if ":" in admin[0] else admin[0]
    return f"\nAll names: dnsserver names --server {host}:{admin[1]}"
