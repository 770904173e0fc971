"""`dnsserver diff`: what changes for clients from some manifests to others, or from a Corefile to another."""

import argparse
import asyncio
import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from dnsserver.commands.described import described_by_corefile, described_by_manifests
from dnsserver.commands.listed import origin_of
from dnsserver.commands.printing import fail, in_colour, note, say
from dnsserver.config import ConfigError
from dnsserver.runtime.differing import BlockChange, Blocks, NameChange, block_changes, blocks, name_changes
from dnsserver.runtime.listing import ServedName, listed_names
from dnsserver.sources.manifests import ManifestError

#: The form of the JSON output.
SCHEMA = "dnsserver.diff/1"
#: Exit codes, as diff(1) has them.
SAME, DIFFERENT, TROUBLE = 0, 1, 2
_RED, _GREEN, _BOLD, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `unknown`: server blocks whose names are not known without a cluster."""

    blocks: Blocks
    names: list[ServedName]
    unknown: tuple[str, ...] = ()


def run(words: list[str]) -> int:
    options = _parser().parse_args(words)
    if options.old == options.new == "-":
        _parser().error("only one of the two can be standard input")
    try:
        old, new = asyncio.run(_sides(options))
    except (ConfigError, ManifestError) as error:
        fail(str(error))
        return TROUBLE
    changed_blocks = block_changes(old.blocks, new.blocks) if options.conf else []
    changed_names = name_changes(old.names, new.names)
    unknown = tuple(dict.fromkeys((*old.unknown, *new.unknown)))
    if options.json:
        say(json.dumps(_as_json(changed_blocks, changed_names, unknown), indent=2, ensure_ascii=False))
    else:
        _show(options, changed_blocks, changed_names)
        for server in unknown:
            note(f"Note: {server}: its objects are in a cluster, so its names are not compared.")
    return DIFFERENT if changed_blocks or changed_names else SAME


async def _sides(options: argparse.Namespace) -> tuple[Side, Side]:
    return await _side(options, options.old), await _side(options, options.new)


async def _side(options: argparse.Namespace, word: str) -> Side:
    server = described_by_corefile(word) if options.conf else described_by_manifests([word], options.zone)
    unknown = tuple(
        " ".join(key.shown for key in site.block.keys)
        for site in server.sites
        if not all(plugin.listing is None or plugin.listing.local for plugin in site.plugins)
    )
    async with listed_names(server, local=True) as found:
        return Side(blocks(server), found.in_order(), unknown)


def _show(options: argparse.Namespace, changed: list[BlockChange], names: list[NameChange]) -> None:
    if not changed and not names:
        return
    lines = [f"--- {options.old}", f"+++ {options.new}"]
    for block in changed:
        lines += _block_lines(block)
    for change in names:
        lines += _name_lines(change)
    if in_colour(options.color):
        lines = [_coloured(line) for line in lines]
    say("\n".join(lines))


def _block_lines(change: BlockChange) -> Iterator[str]:
    """The plugins of a block whose keys stay; a block that comes or goes is all plus, or all minus."""
    sign = "+" if change.old is None else "-" if change.new is None else " "
    yield f"{sign}{change.server}"
    for line in difflib.ndiff(change.old or (), change.new or ()):
        if line[0] != "?":
            yield f"{line[0]}  {line[2:]}"


def _name_lines(change: NameChange) -> Iterator[str]:
    for sign, each in (("-", change.old), ("+", change.new)):
        if each is not None:
            for value in each.values:
                yield f"{sign}{each.name} {each.ttl} {each.type} {value}  ({origin_of(each)})"


def _coloured(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return f"{_BOLD}{line}{_PLAIN}"
    colour = {"-": _RED, "+": _GREEN}.get(line[:1])
    return line if colour is None else f"{colour}{line}{_PLAIN}"


def _as_json(
    changed: list[BlockChange], names: list[NameChange], unknown: tuple[str, ...]
) -> dict[str, object]:
    """The form in which programs are told (docs/names-lint-diff.md). null: not there."""
    return {
        "schema": SCHEMA,
        "servers": [
            {"server": each.server, "old": _listed(each.old), "new": _listed(each.new)} for each in changed
        ],
        "names": [
            {
                "old": None if each.old is None else each.old.as_json(),
                "new": None if each.new is None else each.new.as_json(),
            }
            for each in names
        ],
        "not_compared": list(unknown),
    }


def _listed(lines: tuple[str, ...] | None) -> list[str] | None:
    return None if lines is None else list(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver diff",
        allow_abbrev=False,
        description="What changes for clients: names that appear, vanish or change.",
        epilog="Exit code: 0 nothing, 1 something, 2 the two could not be compared.",
    )
    parser.add_argument("old", metavar="OLD", help="file or folder of manifests, - for standard input")
    parser.add_argument("new", metavar="NEW", help="the same")
    parser.add_argument(
        "-conf", "--conf", action="store_true", help="both are Corefiles: server blocks and plugins count too"
    )
    parser.add_argument("--zone", default="cluster.local", help="the cluster's zone (default cluster.local)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="default: on terminals"
    )
    return parser
