"""The command line of CoreDNS: serve a Corefile."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dnsserver import __version__
from dnsserver.commands.arguments import (
    DEFAULT_COREFILE,
    add_conf,
    add_processes,
    corefile_origin,
    read_corefile,
)
from dnsserver.commands.printing import fail, say
from dnsserver.commands.serving import served
from dnsserver.config import ConfigError
from dnsserver.observability import logs
from dnsserver.plugins.table import SETUPS
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.serving import StartError

#: Several processes need Linux: shared memory by fork, and its way to share out a UDP port.
DEFAULT_WORKERS = "auto" if sys.platform == "linux" else "0"

HELP = """\
No Corefile here. To see what this is:

  make demo                          in the source folder: a small cluster on 127.0.0.1:1053
  dnsserver serve MANIFESTS          the same for your own manifests (files, folders, rendered charts, dumps)
  dig @127.0.0.1 -p 1053 nginx.default.svc.cluster.local

To serve a cluster:

  dnsserver -conf FILE               as coredns does; docs/corefile.md says what the file may hold
  dnsserver check -conf FILE         loads the file and says what would be served
"""


def run(words: list[str], commands: Sequence[str]) -> int:
    """Serve as CoreDNS's flags say. *commands* are named by the help."""
    options = _parser(commands).parse_args(words)
    if options.rest:
        return fail(f"extra command line arguments: {options.rest}")
    if options.version:
        say(f"dnsserver-{__version__}\n{_platform()}")
        return 0
    if options.plugins:
        say("\n".join(f"dns.{name}" for name in sorted(SETUPS)))
        return 0
    if not words and not DEFAULT_COREFILE.exists():
        say(HELP.rstrip())
        return 0
    logs.configure()
    return serve_corefile(options, lambda: None)


def serve_corefile(options: argparse.Namespace, tell: Callable[[], None]) -> int:
    """Serve until a signal says stop; the exit code. *options* are those of `add_serving`; *tell* is called once all
    sockets are answered."""
    pid_file = _PidFile(options.pidfile)

    def started(server: ClusterDnsServer) -> None:
        pid_file.write()
        _banner(server, quiet=options.quiet)
        tell()

    try:
        origin = corefile_origin(options.conf, options.port)
        return served(read_corefile(origin), origin, options, started)
    except (ConfigError, StartError) as error:
        return fail(str(error))
    finally:
        pid_file.remove()


def _parser(commands: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver", allow_abbrev=False, epilog=f"Commands: {', '.join(commands)} (see -h of each)."
    )
    add_serving(parser, DEFAULT_WORKERS)
    parser.add_argument("-plugins", "--plugins", action="store_true", help="list the plugins and exit")
    parser.add_argument("-version", "--version", action="store_true", help="print the version and exit")
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    return parser


def add_serving(parser: argparse.ArgumentParser, workers: str) -> None:
    """What says which Corefile is served, and how. *workers*: how many processes, where nothing is said of it."""
    add_conf(parser)
    parser.add_argument("-pidfile", "--pidfile", metavar="FILE", type=Path, help="write the process id there")
    parser.add_argument("-quiet", "--quiet", action="store_true", help="no banner at the start")
    add_processes(parser, workers)


def _banner(server: ClusterDnsServer, *, quiet: bool) -> None:
    if quiet:
        return
    zones = {
        f"{key.shown}{f' on {address}' if address else ''}"
        for site in server.sites
        for key in site.block.keys
        for address in site.bound or ("",)
    }
    say("\n".join((*sorted(zones), f"dnsserver-{__version__}", _platform())))


def _platform() -> str:
    return f"{platform.system().lower()}/{platform.machine()}, python{platform.python_version()}"


class _PidFile:
    """The file of `-pidfile`: written once the server runs, so that a start that fails leaves another's alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._written = False

    def write(self) -> None:
        if self._path is None:
            return
        try:
            self._path.write_text(f"{os.getpid()}\n")
        except OSError as error:
            raise StartError(
                f"-pidfile {self._path}: {error.strerror}; name a file in a writable folder"
            ) from None
        self._written = True

    def remove(self) -> None:
        if self._path is not None and self._written:
            self._path.unlink(missing_ok=True)
