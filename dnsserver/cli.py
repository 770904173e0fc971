"""The command line: CoreDNS's flags, and the commands `serve` and `check`. The only place that prints.

Exit codes: 0 all well, 1 configuration or start failed, 2 the command line is wrong (coredns-compat.md, 5.3).
"""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from dnsserver import __version__
from dnsserver.config import ConfigError, Corefile, Origin, seconds
from dnsserver.observability import logs
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.plugins.table import ORDER, SETUPS
from dnsserver.runtime.check import check
from dnsserver.runtime.processes.cpus import worker_count
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.serving import Started, StartError, serve_until_signal
from dnsserver.runtime.standalone import MemoryManifests, given, standalone_text
from dnsserver.sources.manifests import ManifestError, ManifestSettings

DEFAULT_COREFILE = Path("Corefile")
DEFAULT_PORT = 53
STANDALONE_PORT = 1053
#: Several processes need Linux: shared memory by fork, and its way to share out a UDP port.
DEFAULT_WORKERS = "auto" if sys.platform == "linux" else "0"
#: A day: an API server that is gone for longer is not the only trouble.
STATE_MAX_AGE = "24h"
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
    pid_file = _PidFile(options.pidfile)

    def started(server: ClusterDnsServer) -> None:
        pid_file.write()
        _banner(server, quiet=options.quiet)

    try:
        origin = _origin(options.conf, options.port)
        return _served(_read(origin), origin, options, started)
    except (ConfigError, StartError) as error:
        return _fail(str(error))
    finally:
        pid_file.remove()


def _serve(words: list[str]) -> int:
    options = _serve_parser().parse_args(words)
    logs.configure()
    paths = tuple(Path(path) for path in options.paths or ["."] if path != "-")
    try:
        text = _standard_input() if "-" in options.paths else None
        origin = given(
            standalone_text(
                address=options.address,
                port=options.port,
                zone=options.zone,
                forward=options.forward,
                log=options.log,
            )
        )
        return _served(
            origin.read(),
            origin,
            options,
            lambda server: _suggest(server, options.address, options.port),
            MemoryManifests(ManifestSettings(paths=paths, documents=text)).factory,
        )
    except (ConfigError, ManifestError, StartError) as error:
        return _fail(str(error))


def _served(
    corefile: Corefile,
    origin: Origin,
    options: argparse.Namespace,
    started: Started,
    source: SourceFactory | None = None,
) -> int:
    """Serve in as many processes as *options* say, until a signal says stop. Raises ConfigError and StartError."""
    workers = worker_count(options.workers)
    if workers == 0:
        return asyncio.run(serve_until_signal(corefile, origin, started, source, options.judge))
    # Imported here: one process does without LMDB.
    from dnsserver.runtime.several import ProcessOptions, serve_by_processes

    processes = ProcessOptions(
        workers=workers,
        auto=options.workers == "auto",
        state_dir=options.state_dir,
        state_max_age_s=options.state_max_age,
        judged=options.judge,
    )
    return serve_by_processes(corefile, origin, processes, started, source)


def _check(words: list[str]) -> int:
    options = _check_parser().parse_args(words)
    try:
        origin = _origin(options.conf, options.port)
        print("\n".join(asyncio.run(check(_read(origin), origin.directory))))
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
    _add_processes(parser, DEFAULT_WORKERS)
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
    _add_processes(parser, "0")
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


def _add_processes(parser: argparse.ArgumentParser, workers: str) -> None:
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_workers,
        default=workers,
        help=f"processes that answer; 'auto': one per CPU that may be used; 0: all in one (default {workers})",
    )
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        type=Path,
        help="where the cluster's state is kept for the workers and for the next start"
        " (default: the first that can be written of /var/lib/dnsserver and /dev/shm/dnsserver; needs workers)",
    )
    parser.add_argument(
        "--state-max-age",
        metavar="TIME",
        type=_duration,
        default=STATE_MAX_AGE,
        help=f"a kept state that is older is not served after a start (default {STATE_MAX_AGE})",
    )
    parser.add_argument(
        "--judge",
        metavar="SHARE",
        type=_share,
        default=0.0,
        help="compare this share of quick answers, 0 to 1, with the slow path's; it costs time (default 0)",
    )


def _workers(text: str) -> str:
    try:
        worker_count(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _duration(text: str) -> float:
    """Seconds of a duration as the Corefile has it, such as 24h."""
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def _origin(conf: str, port: int) -> Origin:
    """Where the Corefile is. Raises ConfigError."""
    path = Path(conf)
    return Origin(
        path=path,
        text=_standard_input() if conf == "stdin" else None,
        optional=path == DEFAULT_COREFILE and not path.exists(),
        directives=ORDER,
        environ=os.environ,
        default_port=port,
    )


def _read(origin: Origin) -> Corefile:
    """The Corefile there. Raises ConfigError."""
    corefile = origin.read()
    for warning in corefile.warnings:
        _say(f"[WARNING] {warning}")
    return corefile


def _banner(server: ClusterDnsServer, *, quiet: bool) -> None:
    if quiet:
        return
    zones = {
        f"{key.shown}{f' on {address}' if address else ''}"
        for site in server.sites
        for key in site.block.keys
        for address in site.bound or ("",)
    }
    _say("\n".join((*sorted(zones), f"dnsserver-{__version__}", _platform())))


def _suggest(server: ClusterDnsServer, address: str, port: int) -> None:
    examples = [example for plugin in server.plugins() if plugin.examples for example in plugin.examples()]
    lines = [f"Serving on {address} port {port}, UDP and TCP. Try:", ""]
    lines += [f"  dig @{address} -p {port} {name} {rtype}" for name, rtype in examples[:EXAMPLES_MAX]]
    hosts = [name for name, rtype in examples if rtype == "A"]
    lines += [f"  nslookup -port={port} {name} {address}" for name in hosts[:1]]
    _say("\n".join((*lines, "", "Stop with Ctrl-C.")))


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


def _say(text: str) -> None:
    """Print on standard output. Whoever reads it may have gone, or its disk be full: DNS goes on."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _standard_input() -> str:
    """Raises ConfigError when it is no text."""
    try:
        text = sys.stdin.read()
        text.encode()  # under the C locale, octets that are not UTF-8 come as surrogates and without an error
    except UnicodeError as error:
        raise ConfigError(f"stdin: not UTF-8 ({error}): give text in UTF-8") from None
    return text


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1
