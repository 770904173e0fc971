"""`dnsserver lint`: mistakes in manifests that keep names from resolving."""

import argparse
import asyncio
import json
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnsserver.commands.arguments import add_paths, standard_input
from dnsserver.commands.described import described_by
from dnsserver.commands.printing import fail, say
from dnsserver.config import ConfigError
from dnsserver.explaining.evidence import Place
from dnsserver.explaining.finding import SEVERITIES, Finding, Severity, finding
from dnsserver.explaining.lint import lint
from dnsserver.plugins.plugin import Plugin
from dnsserver.runtime.listing import listed_names
from dnsserver.sources.manifests import ManifestError, ManifestSettings
from dnsserver.wire.codes import Rcode
from dnsserver.wire.question import Question

#: The form of the JSON output.
SCHEMA = "dnsserver.lint/1"
#: Exit codes.
CLEAN, FOUND, TROUBLE = 0, 1, 2
_PROBLEM = re.compile(r"(?P<file>.+?):(?P<line>\d+): (?P<text>.*)", re.DOTALL)
#: GitHub's words (docs.github.com, "Workflow commands").
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def run(words: list[str]) -> int:
    options = _parser().parse_args(words)
    # What keeps manifests from being read is a finding, and is not to be told twice.
    logging.getLogger("dnsserver").addHandler(logging.NullHandler())
    try:
        text = standard_input() if "-" in options.paths else None
    except ConfigError as error:
        fail(str(error))
        return TROUBLE
    paths = tuple(Path(word) for word in options.paths or ["."] if word != "-")
    missing = [path for path in paths if not path.exists()]
    if missing:
        fail("\n".join(f"{path}: no such file or folder" for path in missing))
        return TROUBLE
    settings = ManifestSettings(paths=paths, documents=text)
    try:
        found = asyncio.run(_found(settings, options.zone))
    except ManifestError as error:
        found = [_of_problem(problem) for problem in error.problems]
    except ConfigError as error:
        fail(str(error))
        return TROUBLE
    found = [each for each in found if each.code not in options.ignore]
    least = Severity[options.severity.upper()]
    shown = [each for each in found if each.severity >= least]
    lines = list(_FORMATS[options.format](shown))
    if lines:
        say("\n".join(lines))
    return FOUND if shown else CLEAN


async def _found(settings: ManifestSettings, zone: str) -> list[Finding]:
    """Raises ManifestError, ConfigError."""
    # Imported here: it takes as long as the rest of the program.
    from dnsserver.sources.manifests.evidence import manifest_evidence

    server = described_by(settings, zone)
    async with listed_names(server):
        (cluster,) = (plugin for plugin in server.plugins() if plugin.witness is not None)
        if cluster.witness is None:
            raise RuntimeError("kubernetes has no witness")
        served = cluster.witness().served
        return lint(manifest_evidence(settings), served, lambda question: _resolves(cluster, question))


def _resolves(cluster: Plugin, question: Question) -> bool | None:
    found = None if cluster.repeatable is None else cluster.repeatable.repeatable(question)
    if found is None:
        return None
    reply, _ = found
    return reply.rcode == Rcode.NOERROR and bool(reply.answer)


def _of_problem(problem: str) -> Finding:
    """Manifests that cannot be read; the text begins with `FILE:LINE: ` where that is known."""
    found = _PROBLEM.fullmatch(problem)
    if found is None:
        return finding("manifest", Place("", "", ""), problem)
    return finding(
        "manifest", Place("", "", "", file=_near(found["file"]), line=int(found["line"])), found["text"]
    )


def _near(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _text_lines(found: Sequence[Finding]) -> Iterator[str]:
    for each in found:
        where = f"{each.place.where}: " if each.place.file else ""
        yield f"{where}{each.severity.word} {each.code}: {_whole(each)}"


def _whole(each: Finding) -> str:
    return f"{each.sentence} ({each.advice.rstrip('.')})" if each.advice else each.sentence


def _json_lines(found: Sequence[Finding]) -> Iterator[str]:
    yield json.dumps(
        {
            "schema": SCHEMA,
            "findings": [
                {
                    "code": each.code,
                    "severity": each.severity.word,
                    "sentence": each.sentence,
                    "advice": each.advice,
                    "file": each.place.file,
                    "line": each.place.line,
                    "kind": each.place.kind,
                    "namespace": each.place.namespace,
                    "name": each.place.name,
                }
                for each in found
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _github_lines(found: Sequence[Finding]) -> Iterator[str]:
    for each in found:
        place = f" file={_property(each.place.file)},line={each.place.line}," if each.place.file else " "
        yield f"::{_GITHUB[each.severity]}{place}title={_property(each.code)}::{_data(_whole(each))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_FORMATS = {"text": _text_lines, "json": _json_lines, "github": _github_lines}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver lint",
        allow_abbrev=False,
        description="Find mistakes in manifests that keep names from resolving.",
        epilog="Exit code: 0 nothing was found, 1 something was, 2 there is nothing to look at.",
    )
    add_paths(parser)
    parser.add_argument("--zone", default="cluster.local", help="the cluster's zone (default cluster.local)")
    parser.add_argument(
        "--severity",
        choices=[each.word for each in Severity],
        default=Severity.WARNING.word,
        help="tell of this and what is graver (default warning)",
    )
    parser.add_argument(
        "--ignore",
        metavar="CODE",
        action="append",
        default=[],
        choices=sorted(SEVERITIES),
        help="never tell of this",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--format", choices=tuple(_FORMATS), default="text", help="default text")
    shown.add_argument("--json", action="store_const", dest="format", const="json", help="as --format json")
    return parser
