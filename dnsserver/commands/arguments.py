"""Options that several commands have."""

import argparse
import os
import sys
from pathlib import Path

from dnsserver.commands.printing import say
from dnsserver.config import ConfigError, Corefile, Origin, seconds
from dnsserver.plugins.addresses import Address, parse_address
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.admin import DEFAULT_ADMIN, OFF, parse_admin
from dnsserver.runtime.processes.cpus import worker_count

DEFAULT_COREFILE = Path("Corefile")
DEFAULT_PORT = 53
#: A day: an API server that is gone for longer is not the only trouble.
STATE_MAX_AGE = "24h"


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Manifests, as `paths`: none are the present folder."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files and folders of YAML or JSON, - for standard input (default: .)",
    )


def add_conf(parser: argparse.ArgumentParser) -> None:
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


def add_processes(parser: argparse.ArgumentParser, workers: str) -> None:
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
        type=duration,
        default=STATE_MAX_AGE,
        help=f"a kept state that is older is not served after a start (default {STATE_MAX_AGE})",
    )
    parser.add_argument(
        "--share-ports",
        action="store_true",
        help="let another server of this user serve on the same addresses at the same time, so that it can take"
        " over from this one, and do not wait for the addresses to be there (Linux)",
    )
    parser.add_argument(
        "--admin",
        metavar="ADDR",
        type=_admin,
        default=DEFAULT_ADMIN,
        help=f"ADDRESS:PORT where 'dnsserver explain' asks this server, or '{OFF}' (default {DEFAULT_ADMIN})",
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


def duration(text: str) -> float:
    """Seconds of a duration as the Corefile has it, such as 24h."""
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def address(text: str) -> Address:
    """IP or IP:PORT."""
    try:
        found = parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no IP address, with or without :PORT")
    return found


def _admin(text: str) -> tuple[str, int] | None:
    try:
        return parse_admin(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def corefile_origin(conf: str, port: int) -> Origin:
    """Where the Corefile is. Raises ConfigError."""
    path = Path(conf)
    return Origin(
        path=path,
        text=standard_input() if conf == "stdin" else None,
        optional=path == DEFAULT_COREFILE and not path.exists(),
        directives=ORDER,
        environ=os.environ,
        default_port=port,
    )


def read_corefile(origin: Origin) -> Corefile:
    """The Corefile there. Raises ConfigError."""
    corefile = origin.read()
    for warning in corefile.warnings:
        say(f"[WARNING] {warning}")
    return corefile


def standard_input() -> str:
    """Raises ConfigError when it is no text."""
    try:
        text = sys.stdin.read()
        text.encode()  # under the C locale, octets that are not UTF-8 come as surrogates and without an error
    except UnicodeError as error:
        raise ConfigError(f"stdin: not UTF-8 ({error}): give text in UTF-8") from None
    return text
