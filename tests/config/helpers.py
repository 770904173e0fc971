"""What the tests of the configuration share: a fixed world, and short forms of values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dnsserver.config import ConfigError, Corefile, Occurrence, parse

FILE = "Corefile"
NOWHERE = Path("/nonexistent-directory")
_COMMON = (
    "cache",
    "errors",
    "forward",
    "health",
    "kubernetes",
    "log",
    "loop",
    "prometheus",
    "ready",
    "reload",
)
DIRECTIVES = frozenset((*_COMMON, "bind", "debug", "hosts", "rewrite", "whoami"))
ENVIRON = {
    "ZONE": "example.org",
    "PORT": "5300",
    "TWO": "one two",
    "NAME": "whoami",
    "INNER": "{$ZONE}",
    "SELF": "a{$SELF}",
    "DOUBLE": "{$DOUBLE}{$DOUBLE}",
    "EMPTY": "",
    "A:b": "odd",
}


def parsed(text: str, *, directory: Path = NOWHERE, environ: Mapping[str, str] = ENVIRON) -> Corefile:
    """*text* as a configuration."""
    return parse(text, file=FILE, directory=directory, directives=DIRECTIVES, environ=environ)


def outcome(text: str, *, directory: Path = NOWHERE) -> str:
    """The blocks of *text* in one line, or the message of its ConfigError."""
    try:
        return show(parsed(text, directory=directory))
    except ConfigError as error:
        return str(error)


def show(corefile: Corefile) -> str:
    """`KEY KEY {plugin argument [property argument; property]; plugin}`, blocks separated by ` | `."""
    blocks = []
    for block in corefile.blocks:
        occurrences = [found for directive in block.directives for found in directive.occurrences]
        inside = "; ".join(map(_show_occurrence, occurrences))
        blocks.append(f"{' '.join(map(str, block.keys))} {{{inside}}}")
    return " | ".join(blocks)


def _show_occurrence(found: Occurrence) -> str:
    head = " ".join(found.words)
    lines = "; ".join(" ".join(line.words) for line in found.properties)
    return f"{head} [{lines}]" if found.properties else head


def only(text: str) -> Occurrence:
    """The first directive of a block that has *text* in it."""
    return parsed(f". {{\n{text}\n}}\n").blocks[0].directives[0].occurrences[0]
