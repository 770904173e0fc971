"""`dnsserver resolve`: a look-up as a pod's program would do it, packet by packet."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from dnsserver.commands.arguments import address, duration, standard_input
from dnsserver.commands.asker import AskerError, Given, asker
from dnsserver.commands.faulty import faults_of
from dnsserver.commands.printing import fail, say
from dnsserver.commands.resolved import Resolved, as_json, as_text
from dnsserver.config import ConfigError
from dnsserver.explaining.evidence import Evidence
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.serving import StartError
from dnsserver.runtime.standalone import MemoryManifests, given, standalone_text
from dnsserver.runtime.surroundings import Surroundings
from dnsserver.sources.manifests import ManifestError, ManifestSettings
from dnsserver.stubs import LIBRARIES, Family, Lookup, Servers, run_really, run_virtually
from dnsserver.stubs.advice import advice
from dnsserver.stubs.asking import PATIENCE_S
from dnsserver.stubs.queries import Query
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.question import Question

DEFAULT_LIBRARY = "glibc"
FAMILIES = {"both": Family.BOTH, "A": Family.IPV4, "AAAA": Family.IPV6}


def run(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_intermixed_args(words)
    if options.server and options.faults:
        parser.error("--faults is for the server that is made of PATH, not for --server")
    try:
        settings = _settings(options)
        found = asyncio.run(_resolved(options, settings))
    except (AskerError, ConfigError, ManifestError, StartError) as error:
        return fail(str(error))
    say(as_json(found) if options.json else as_text(found))
    return 0 if all(each.transcript.outcome.addresses for each in found) else 1


def _settings(options: argparse.Namespace) -> ManifestSettings | None:
    """The manifests; None for a server that runs, where none are given. Raises ConfigError."""
    if options.server and not options.paths:
        return None
    words = options.paths or ["."]
    documents = standard_input() if "-" in words else None
    return ManifestSettings(paths=tuple(Path(word) for word in words if word != "-"), documents=documents)


async def _resolved(options: argparse.Namespace, settings: ManifestSettings | None) -> list[Resolved]:
    """Raises AskerError, ConfigError, ManifestError, StartError."""
    who = asker(_given(options), await _evidence(settings))
    lookup = Lookup(options.name, FAMILIES[options.type])
    async with _server(options, settings) as place:
        places = dict.fromkeys(who.cluster_dns, place) | dict(options.nameserver)
        found = []
        for name in dict.fromkeys(options.libc or [DEFAULT_LIBRARY]):
            library = LIBRARIES[name]
            stub = library.stub(lookup, who.resolv_conf, who.hosts)
            if options.wait:
                transcript = await run_really(stub, places)
            else:
                transcript = await run_virtually(stub, Servers(places, patience_s=options.patience))
            silent = tuple(server for server in library.read(who.resolv_conf).servers if server not in places)
            told = advice(library, lookup, who.resolv_conf, transcript)
            found.append(Resolved(library, lookup, who, transcript, silent, told))
    return found


async def _evidence(settings: ManifestSettings | None) -> Evidence:
    if settings is None:
        return Evidence()
    from dnsserver.sources.manifests.evidence import manifest_evidence

    return await asyncio.to_thread(manifest_evidence, settings)


@asynccontextmanager
async def _server(
    options: argparse.Namespace, settings: ManifestSettings | None
) -> AsyncIterator[tuple[str, int]]:
    """Host and port of the server that stands for the cluster's DNS."""
    if options.server:
        yield options.server.host, options.server.port
        return
    assert settings is not None
    with ExitStack() as files:
        faults = (
            files.enter_context(faults_of(options.faults, options.seed, None)) if options.faults else None
        )
        server = ClusterDnsServer(
            given(standalone_text(zone=options.zone)).read(),
            Path(),
            source=MemoryManifests(settings).factory,
            surroundings=Surroundings(between=faults.around if faults else None),
        )
        async with server:
            if faults is None:
                await _warmed(server.endpoints[0], options.zone)
            yield server.endpoints[0]


async def _warmed(place: tuple[str, int], zone: str) -> None:
    """Ask something else first: the first answer of a process takes longer, which is no delay that a client has."""
    question = Question(names.from_text(f"ns.dns.{zone}"), Type.A)
    await Servers({"": place})("", "udp", Query(0, question).encode())


def _given(options: argparse.Namespace) -> Given:
    """What the command line says of who asks. Raises AskerError when a file cannot be read."""
    files = [_read(path) for path in (options.resolv_conf, options.hosts, options.node_resolv_conf)]
    return Given(options.who, options.zone, tuple(options.cluster_dns), *files)


def _read(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AskerError(f"{path}: {error.strerror}: name a file that can be read") from None
    except UnicodeDecodeError as error:
        raise AskerError(f"{path}: not UTF-8 (octet {error.start})") from None


def _nameserver(text: str) -> tuple[str, tuple[str, int]]:
    server, equals, place = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(
            f"{text} is not IP=ADDR: the address in resolv.conf, and where it is asked"
        )
    found = address(place)
    return address(server).host, (found.host, found.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver resolve",
        allow_abbrev=False,
        description="A look-up as a program in a pod does it: every question and answer, how long it takes, and what"
        " comes of it. The answers are those of a server made of PATH, on loopback, or of a running one.",
        epilog="LIBRARY: "
        + "; ".join(f"{library.name}: {library.title}" for library in LIBRARIES.values())
        + ".",
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="as the program is given it: 'web', 'web.prod', 'example.com.'")
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="manifests: files and folders, - for standard input (default: .)",
    )
    add(
        "--libc",
        metavar="LIBRARY",
        choices=tuple(LIBRARIES),
        action="append",
        help="which library asks (default glibc); several times for several",
    )
    add(
        "--type",
        choices=tuple(FAMILIES),
        default="both",
        help="addresses wanted: A, AAAA or both (default both)",
    )
    add("--server", metavar="ADDR", type=address, help="ask this server instead: IP or IP:PORT")
    add("--json", action="store_true", help="for programs")
    _add_who(parser)
    _add_delays(parser)
    return parser


def _add_delays(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("delays").add_argument
    add("--wait", action="store_true", help="wait as the library does; without it time-outs are counted only")
    add(
        "--patience",
        type=duration,
        default=PATIENCE_S,
        help=f"until a server counts as silent (default {PATIENCE_S:g}s)",
    )
    add(
        "--faults",
        metavar="FILE",
        type=Path,
        help="what goes wrong with the server made of PATH (docs/testing.md)",
    )
    add("--seed", metavar="N", type=int, default=0, help="of the faults' probabilities (default 0)")


def _add_who(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who asks")
    who = group.add_mutually_exclusive_group()
    who.add_argument(
        "--from",
        dest="who",
        metavar="NS/POD",
        default="default",
        help="a pod, or a workload's pods, of PATH; NS alone: any pod of that namespace (default: default)",
    )
    who.add_argument("--resolv-conf", metavar="FILE", type=Path, help="who has this resolv.conf")
    add = group.add_argument
    add("--hosts", metavar="FILE", type=Path, help="the hosts file (default: as the kubelet writes it)")
    add("--zone", default="cluster.local", help="the cluster's zone (default cluster.local)")
    add(
        "--cluster-dns",
        metavar="IP",
        action="append",
        default=[],
        help="address of the cluster's DNS in resolv.conf"
        " (default: that of Service kube-system/kube-dns in PATH, else 10.96.0.10)",
    )
    add("--node-resolv-conf", metavar="FILE", type=Path, help="resolv.conf of the pod's node")
    add(
        "--nameserver",
        metavar="IP=ADDR",
        type=_nameserver,
        action="append",
        default=[],
        help="ask for another name server of resolv.conf there; one that is not named here is not asked",
    )
