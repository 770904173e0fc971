"""The command line: CoreDNS's flags, and the commands `serve` and `check`. The only place that prints.

Exit codes: 0 all well, 1 configuration or start failed, 2 the command line is wrong (coredns-compat.md, 5.3).
"""

import argparse
import asyncio
import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnsserver import __version__
from dnsserver.config import ConfigError, Corefile, load, parse
from dnsserver.observability import logs
from dnsserver.plugins.table import ORDER, SETUPS
from dnsserver.runtime.check import check
from dnsserver.runtime.serving import StartError, serve_until_signal
from dnsserver.runtime.standalone import MemoryManifests, standalone_corefile
from dnsserver.sources.manifests import ManifestError, ManifestSettings

DEFAULT_COREFILE = Path("Corefile")
DEFAULT_PORT = 53
STANDALONE_PORT = 1053
#: Questions that `serve` suggests.
EXAMPLES_MAX = 12

HELP = """\
No Corefile here. To see what this is:

  make demo                          in the source folder: a small cluster on 127.0.0.1:1053
  dnsserver serve MANIFESTS          the same for your own manifests (files, folders, rendered charts, dumps)
  dig @127.0.0.1 -p 1053 nginx.default.svc.cluster.local

To serve a cluster:

  dnsserver -conf FILE               as coredns does; docs/corefile.md says what the file may hold
  dnsserver check -conf FILE         loads the file and says what would be served
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands = {"serve": _serve, "check": _check}
    if words and words[0] in commands:
        return commands[words[0]](words[1:])
    return _run(words)


def _run(words: list[str]) -> int:
    options = _coredns_parser().parse_args(words)
    if options.rest:
        return _fail(f"extra command line arguments: {options.rest}")
    if options.version:
        print(f"dnsserver-{__version__}\n{_platform()}")
        return 0
    if options.plugins:
        print("\n".join(f"dns.{name}" for name in sorted(SETUPS)))
        return 0
    if not words and not DEFAULT_COREFILE.exists():
        print(HELP, end="")
        return 0
    logs.configure()
    try:
        corefile, directory = _read(options.conf, options.port)
        with _pid_file(options.pidfile):
            return asyncio.run(
                serve_until_signal(
                    corefile, directory, started=lambda _: _banner(corefile, quiet=options.quiet)
                )
            )
    except (ConfigError, StartError) as error:
        return _fail(str(error))


def _serve(words: list[str]) -> int:
    options = _serve_parser().parse_args(words)
    logs.configure()
    paths = tuple(Path(path) for path in options.paths or ["."] if path != "-")
    text = sys.stdin.read() if "-" in options.paths else None
    try:
        corefile = standalone_corefile(
            (),
            address=options.address,
            port=options.port,
            zone=options.zone,
            forward=options.forward,
            log=options.log,
        )
        return asyncio.run(
            serve_until_signal(
                corefile,
                Path(),
                source=MemoryManifests(ManifestSettings(paths=paths, documents=text)).factory,
                started=lambda examples: _suggest(examples, options.address, options.port),
            )
        )
    except (ConfigError, ManifestError, StartError) as error:
        return _fail(str(error))


def _check(words: list[str]) -> int:
    options = _check_parser().parse_args(words)
    try:
        corefile, directory = _read(options.conf, options.port)
        print("\n".join(asyncio.run(check(corefile, directory))))
    except ConfigError as error:
        return _fail(str(error))
    return 0


def _coredns_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver", allow_abbrev=False, epilog="Commands: serve, check (see -h of each)."
    )
    _add_conf(parser)
    parser.add_argument("-pidfile", "--pidfile", metavar="FILE", type=Path, help="write the process id there")
    parser.add_argument("-plugins", "--plugins", action="store_true", help="list the plugins and exit")
    parser.add_argument("-quiet", "--quiet", action="store_true", help="no banner at the start")
    parser.add_argument("-version", "--version", action="store_true", help="print the version and exit")
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    return parser


def _serve_parser() -> argparse.ArgumentParser:
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
    return parser


def _check_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver check",
        allow_abbrev=False,
        description="Load a Corefile and say what would be served.",
    )
    _add_conf(parser)
    return parser


def _add_conf(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-conf",
        "--conf",
        metavar="FILE",
        default=str(DEFAULT_COREFILE),
        help="Corefile to load; 'stdin' reads it there",
    )
    parser.add_argument(
        "-dns.port",
        "--dns.port",
        "-p",
        dest="port",
        metavar="N",
        type=int,
        default=DEFAULT_PORT,
        help="port of server blocks that name none (default 53)",
    )


def _read(conf: str, port: int) -> tuple[Corefile, Path]:
    """The Corefile and the folder that its relative paths count from. Raises ConfigError."""
    path = Path(conf)
    if conf == "stdin":
        text, directory = sys.stdin.read(), Path()
        corefile = parse(
            text, file="stdin", directory=directory, directives=ORDER, environ=os.environ, default_port=port
        )
    elif path == DEFAULT_COREFILE and not path.exists():
        corefile = parse(
            "", file=conf, directory=Path(), directives=ORDER, environ=os.environ, default_port=port
        )
        directory = Path()
    else:
        corefile = load(path, directives=ORDER, environ=os.environ, default_port=port)
        directory = path.parent
    for warning in corefile.warnings:
        print(f"[WARNING] {warning}", flush=True)
    return corefile, directory


def _banner(corefile: Corefile, *, quiet: bool) -> None:
    if quiet:
        return
    zones = {
        f"{'' if key.scheme == 'dns' else key.scheme + '://'}{key.zone}:{key.port}"
        for block in corefile.blocks
        for key in block.keys
    }
    print("\n".join(sorted(zones)))
    print(f"dnsserver-{__version__}\n{_platform()}", flush=True)


def _suggest(examples: Sequence[tuple[str, str]], address: str, port: int) -> None:
    print(f"Serving on {address} port {port}, UDP and TCP. Try:\n")
    for name, rtype in examples[:EXAMPLES_MAX]:
        print(f"  dig @{address} -p {port} {name} {rtype}")
    hosts = [name for name, rtype in examples if rtype == "A"]
    if hosts:
        print(f"  nslookup -port={port} {hosts[0]} {address}")
    print("\nStop with Ctrl-C.", flush=True)


def _platform() -> str:
    return f"{platform.system().lower()}/{platform.machine()}, python{platform.python_version()}"


@contextlib.contextmanager
def _pid_file(path: Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    try:
        path.write_text(f"{os.getpid()}\n")
    except OSError as error:
        raise StartError(
            f"-pidfile {path}: {error.strerror}; name a file in a folder that is writable"
        ) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1
