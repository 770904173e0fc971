"""`dnsserver names`: every name that would be served, with its records and where they come from."""

import argparse
import asyncio

from dnsserver.commands.asking_server import UnreachableError, names_of_server
from dnsserver.commands.described import add_described, described
from dnsserver.commands.listed import WrongZoneError, json_lines, table, zone_file
from dnsserver.commands.printing import fail, note, say
from dnsserver.config import ConfigError
from dnsserver.runtime.admin import DEFAULT_ADMIN
from dnsserver.runtime.explaining import AskedError
from dnsserver.runtime.listing import ServedName, listed_names
from dnsserver.sources.manifests import ManifestError
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError


def run(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    if sum(map(bool, (options.paths, options.conf, options.server))) > 1:
        parser.error("PATH, -conf and --server exclude each other")
    try:
        rows, beyond = names_of_server(options.server) if options.server else asyncio.run(_listed(options))
        lines = _lines(options, rows, beyond)
    except WrongZoneError as error:
        parser.error(str(error))
    except AskedError as error:
        parser.error(str(error))
    except (ConfigError, ManifestError, UnreachableError) as error:
        return fail(str(error))
    say("\n".join(lines))
    if options.format == "table":
        for sentence in beyond:
            note(f"Note: {sentence}")
    return 0


async def _listed(options: argparse.Namespace) -> tuple[list[ServedName], tuple[str, ...]]:
    async with listed_names(described(options)) as found:
        return found.in_order(), found.beyond


def _lines(options: argparse.Namespace, rows: list[ServedName], beyond: tuple[str, ...]) -> list[str]:
    """Raises WrongZoneError."""

    def wanted(row: ServedName) -> bool:
        first = row.objects[0] if row.objects else None
        return (
            (not options.type or row.type in options.type)
            and (not options.origin or row.zone == options.origin)
            and (not options.namespace or (first is not None and first.key.namespace in options.namespace))
            and (not options.kind or (first is not None and first.kind.lower() in options.kind))
        )

    if options.format == "zone":
        return list(zone_file(rows, beyond, options.origin or "", wanted))
    kept = [row for row in rows if wanted(row)]
    return list(json_lines(kept, beyond) if options.format == "json" else table(kept))


def _zone(text: str) -> str:
    try:
        return names.to_text(names.from_text(text).lower())
    except NameTextError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver names",
        allow_abbrev=False,
        description="Every name that would be served, with its records and the objects that they come from.",
    )
    add_described(parser)
    parser.add_argument(
        "--server", metavar="ADDR", help=f"a running server, by its admin address (usually {DEFAULT_ADMIN})"
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--format",
        choices=("table", "json", "zone"),
        default="table",
        help="zone: one zone as a master file (default table)",
    )
    shown.add_argument("--json", action="store_const", dest="format", const="json", help="as --format json")
    parser.add_argument("--origin", metavar="ZONE", type=_zone, help="only names of this zone")
    parser.add_argument(
        "--namespace", metavar="NS", action="append", default=[], help="only names of its objects"
    )
    parser.add_argument(
        "--type", metavar="TYPE", type=str.upper, action="append", default=[], help="only this type"
    )
    parser.add_argument(
        "--kind",
        metavar="KIND",
        type=str.lower,
        action="append",
        default=[],
        help="only names of objects of this kind, such as Service, EndpointSlice, Pod",
    )
    return parser
