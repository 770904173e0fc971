"""`dnsserver explain`: why a name is answered as it is (docs/explain.md)."""

import argparse
import asyncio
import json
import logging
import shutil
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from dnsserver.commands.arguments import DEFAULT_PORT, corefile_origin, read_corefile, standard_input
from dnsserver.commands.asking_server import (
    DNS_SCHEME,
    DNS_TIMEOUT_S,
    UnreachableError,
    answer_by_dns,
    ask_server,
    dns_address,
)
from dnsserver.commands.printing import fail, in_colour, say
from dnsserver.comparing.asking import Server
from dnsserver.config import ConfigError, Origin
from dnsserver.explaining.explanation import Explanation, as_json, from_json
from dnsserver.explaining.text import lines
from dnsserver.plugins.addresses import Address
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.runtime.admin import DEFAULT_ADMIN
from dnsserver.runtime.explaining import AskedError, Asking, Explainer
from dnsserver.runtime.rehearsing import opened
from dnsserver.runtime.server import ClusterDnsServer, StartError
from dnsserver.runtime.standalone import STANDALONE_PORT, MemoryManifests, given, standalone_text
from dnsserver.sources.manifests import ManifestError, ManifestSettings
from dnsserver.wire.codes import type_number

#: Exit codes: there is what was asked for; there is not, and the cause was told; nothing could be explained.
RESOLVES, FAILS, NOTHING = 0, 1, 2
#: A Corefile without a cluster, where nothing is known but what another server answers.
_NO_CLUSTER = f".:{STANDALONE_PORT} {{\noffline\n}}\n"
#: Characters of a line where nobody says how many there are room for.
WIDTH = 100


def run(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_intermixed_args(words)
    rtype, paths = _type_and_paths(options.rest)
    if paths and options.conf:
        parser.error("-conf and PATHs exclude each other: the Corefile says where the objects are")
    if (paths or options.conf) and options.server and not options.server.startswith(DNS_SCHEME):
        parser.error(
            f"-conf and PATHs are for servers that are asked by DNS alone: --server {DNS_SCHEME}ADDRESS"
        )
    logging.getLogger("dnsserver").addHandler(logging.NullHandler())
    asking = Asking(options.name, rtype, options.client)
    try:
        other = dns_address(options.server)
        if paths or options.conf or other is not None:
            found = asyncio.run(_offline(asking, paths, options, other))
        else:
            found = from_json(ask_server(options.server or DEFAULT_ADMIN, asking))
    except (AskedError, ConfigError, ManifestError, StartError, UnreachableError) as error:
        fail(f"dnsserver explain: {error}")
        return NOTHING
    _show(found, options)
    return RESOLVES if found.resolves else FAILS


def _type_and_paths(rest: list[str]) -> tuple[str, list[str]]:
    """`[TYPE] PATH...`: the first word is a type if there is one of this name and no such file."""
    if rest and type_number(rest[0]) is not None and not Path(rest[0]).exists():
        return rest[0].upper(), rest[1:]
    return "A", rest


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver explain",
        allow_abbrev=False,
        usage="dnsserver explain NAME [TYPE] [--from NS/POD|IP] [--server ADDR | -conf FILE | PATH...]",
        description="Say why a name is answered as it is: by which plugin, of which objects, by which rule; or, when it"
        " has no answer, what is wrong and what to do.",
        epilog="Exit code: 0 the name has such records, 1 it has not, 2 nothing could be explained.",
    )
    parser.add_argument("name", metavar="NAME", help="with a final dot, or completed as the client would")
    parser.add_argument(
        "rest",
        nargs="*",
        metavar="[TYPE] PATH",
        help="type of records (default A); manifests, - for standard input",
    )
    parser.add_argument(
        "--from", dest="client", metavar="NS/POD|IP", default="", help="who asks (default: this host)"
    )
    parser.add_argument(
        "--server",
        metavar="ADDR",
        default="",
        help=f"admin address of a running server (default {DEFAULT_ADMIN}, where neither -conf nor PATHs are given);"
        f" {DNS_SCHEME}ADDRESS[:PORT]: by DNS alone, with -conf or PATHs for what it should know",
    )
    parser.add_argument(
        "-conf", "--conf", metavar="FILE", default="", help="Corefile; 'stdin' reads it there"
    )
    parser.add_argument("--zone", default="cluster.local", help="with PATHs: the cluster's zone")
    parser.add_argument(
        "--forward", metavar="ADDR", default="", help="with PATHs: server that resolves all other names"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (schema in docs/explain.md)")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="default: on terminals"
    )
    return parser


async def _offline(
    asking: Asking, paths: list[str], options: argparse.Namespace, other: Address | None
) -> Explanation:
    """By a server of this process, which opens no sockets; it only has the cluster where *other* is asked for the
    answers. Raises as `run` has it."""
    origin, source = _configured(paths, options)
    corefile = read_corefile(origin) if options.conf else origin.read()
    server = ClusterDnsServer(corefile, origin.directory, source=source)
    async with opened(server, follows=True):
        if other is None:
            return await Explainer(server).explain(asking)
        with closing(Server(other, DNS_TIMEOUT_S)) as asked:
            return await Explainer(server, partial(answer_by_dns, asked)).explain(asking)


def _configured(paths: list[str], options: argparse.Namespace) -> tuple[Origin, SourceFactory | None]:
    if options.conf:
        return corefile_origin(options.conf, DEFAULT_PORT), None
    if not paths:
        return given(_NO_CLUSTER), None
    text = standard_input() if "-" in paths else None
    files = tuple(Path(path) for path in paths if path != "-")
    settings = ManifestSettings(paths=files, documents=text)
    corefile = standalone_text(port=STANDALONE_PORT, zone=options.zone, forward=options.forward)
    return given(corefile), MemoryManifests(settings).factory


def _show(found: Explanation, options: argparse.Namespace) -> None:
    if options.json:
        shown: dict[str, Any] = as_json(found)
        say(json.dumps(shown, indent=2))
        return
    width = min(shutil.get_terminal_size((WIDTH, 0)).columns, WIDTH)
    say("\n".join(lines(found, colour=in_colour(options.color), width=width)))
