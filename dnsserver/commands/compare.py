"""`dnsserver compare`: ask two servers the same questions, and show what a client could tell apart."""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dnsserver.commands.arguments import address, duration
from dnsserver.commands.printing import end_progress, fail, progress, say
from dnsserver.comparing import report
from dnsserver.comparing.asking import Server
from dnsserver.comparing.differences import Kind
from dnsserver.comparing.presence import GoneError, greet
from dnsserver.comparing.questions import Kinds, cluster_questions, sampled
from dnsserver.comparing.rounds import Outcome, Rules, compare
from dnsserver.comparing.states import described, listed
from dnsserver.comparing.texts import TextError, listed_questions, logged_questions
from dnsserver.config import ConfigError
from dnsserver.sources.kubernetes.credentials import SourceError
from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.sources.manifests import ManifestError
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError

CLUSTER, MANIFESTS, LOG = "cluster", "manifests", "log"
#: Questions each second to each server: a hundredth of what one CoreDNS takes.
QPS = 200.0
#: Questions under way at a time.
CONCURRENCY = 20
#: Rounds in which what differs is asked again.
RETRIES = 2
#: Questions that are taken of more.
MOST = 10_000
#: Differences of each kind that are shown.
SHOWN = 10
#: Questions under way at most: each has a socket for each server, and 1,024 files are what a process may have open.
MOST_CONCURRENCY = 400
#: Questions between two lines of progress.
PROGRESS_EVERY = 50
#: Characters of a line that are read at a time: what is no text may have no lines.
LINE_MOST = 64 * 1024
#: File descriptor.
STDIN = 0


class NothingToCompareError(ValueError):
    """There is nothing to ask."""


def run(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    if bool(options.paths) != (options.names in (MANIFESTS, LOG)):
        parser.error(f"--names {MANIFESTS} and --names {LOG} need a PATH, others take none")
    try:
        outcome = asyncio.run(_compared(options))
    except OSError as error:
        return fail(f"dnsserver compare: {error.filename or 'stdin'}: {error.strerror}")
    except (ConfigError, GoneError, ManifestError, NothingToCompareError, SourceError, TextError) as error:
        return fail(f"dnsserver compare: {error}")
    old, new = str(options.old), str(options.new)
    say(report.as_json(outcome, old, new) if options.json else report.text(outcome, old, new, options.show))
    return 1 if outcome.findings else 0


async def _compared(options: argparse.Namespace) -> Outcome:
    questions = sampled(await _questions(options), options.most, options.seed)
    if not questions:
        raise NothingToCompareError(f"--names {options.names}: no questions there")
    rules = Rules(
        zone=options.zone,
        qps=options.qps,
        concurrency=options.concurrency,
        retries=options.retries,
        pause_s=options.pause,
        ttl_tolerance_s=options.ttl_tolerance,
        ignored=frozenset(options.ignore),
        strict=options.strict,
    )
    with (
        closing(Server(options.old, options.timeout)) as old,
        closing(Server(options.new, options.timeout)) as new,
    ):
        for server in (old, new):
            await greet(server, options.zone)
        try:
            return await compare(questions, old, new, rules, _told)
        finally:
            end_progress()


def _told(number: int, count: int, done: int) -> None:
    if done % PROGRESS_EVERY == 0 or done == count:
        progress(f"round {number}: {done:,} of {count:,}")


async def _questions(options: argparse.Namespace) -> Kinds:
    """What could be asked. Raises what the names' source has to say."""
    paths: list[str] = options.paths
    if options.names == CLUSTER:
        settings = LiveSettings(kubeconfig=options.kubeconfig, context=options.context)
        return cluster_questions(await listed(settings), options.zone)
    if options.names == MANIFESTS:
        return cluster_questions(await described([Path(path) for path in paths]), options.zone)
    if options.names == LOG:
        return {LOG: (one for path in paths for one in logged_questions(_lines(path)))}
    return {"file": listed_questions(_lines(options.names), options.names)}


def _lines(path: str) -> Iterator[str]:
    """One after another: logs are long, and their programs write what they are asked for, be it text or not. Raises
    OSError."""
    place = STDIN if path == "-" else path
    with open(place, encoding="utf-8", errors="surrogateescape", closefd=place != STDIN) as file:
        while line := file.readline(LINE_MOST):
            yield line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver compare",
        allow_abbrev=False,
        description="Ask two servers the same questions, and show what a client could tell apart.",
        epilog="Exit code: 0 when all replies are alike, 1 when not or something failed, 2 for a wrong command line.",
    )
    add = parser.add_argument
    add("--old", metavar="ADDR", type=address, required=True, help="the present server: IP or IP:PORT")
    add("--new", metavar="ADDR", type=address, required=True, help="the one to take its place")
    _add_names(parser)
    _add_pace(parser)
    _add_counting(parser)
    add(
        "--show", type=_number, metavar="N", default=SHOWN, help=f"differences of each kind (default {SHOWN})"
    )
    add("--json", action="store_true", help="print one JSON object, with all differences")
    return parser


def _add_pace(parser: argparse.ArgumentParser) -> None:
    """How the servers are asked."""
    add = parser.add_argument
    add(
        "--qps",
        metavar="N",
        type=_positive,
        default=QPS,
        help=f"questions each second to each server (default {QPS:g})",
    )
    add(
        "--concurrency",
        metavar="N",
        type=_concurrency,
        default=CONCURRENCY,
        help=f"of them under way (default {CONCURRENCY}, {MOST_CONCURRENCY} at most)",
    )
    add(
        "--timeout",
        metavar="TIME",
        type=_patience,
        default="2s",
        help="how long a reply is waited for (default 2s)",
    )
    add(
        "--retries",
        metavar="N",
        type=_number,
        default=RETRIES,
        help=f"times that both are asked again before they count as different (default {RETRIES})",
    )
    add(
        "--pause",
        metavar="TIME",
        type=duration,
        default="2s",
        help="before they are asked again (default 2s)",
    )


def _add_counting(parser: argparse.ArgumentParser) -> None:
    """What counts as different."""
    add = parser.add_argument
    add(
        "--ttl-tolerance",
        type=_number,
        metavar="SECONDS",
        default=0,
        help="by which TTLs may differ (default 0)",
    )
    add(
        "--ignore",
        metavar="KIND",
        type=Kind,
        choices=list(Kind),
        action="append",
        default=[],
        help=f"does not count; may be given several times: {', '.join(Kind)}",
    )
    add("--strict", action="store_true", help=f"what {report.PAGE} lists counts too")


def _add_names(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--names",
        metavar=f"{CLUSTER}|{MANIFESTS}|{LOG}|FILE",
        default=CLUSTER,
        help="what is asked: all that the cluster has, by its API server (default); what manifests in PATH describe;"
        " the questions of query logs in PATH; or a file with NAME TYPE on each line",
    )
    add("paths", nargs="*", metavar="PATH", help="manifests, or logs (- is standard input)")
    add("--zone", type=_zone, default="cluster.local", help="the cluster's zone (default cluster.local)")
    add("--kubeconfig", type=Path, metavar="FILE", help="for the API server (default: the service account)")
    add("--context", default="", help="in the kubeconfig (default: its current-context)")
    add(
        "--most",
        type=_number,
        metavar="N",
        default=MOST,
        help=f"questions, 0: all (default {MOST:,}, at random)",
    )
    add("--seed", type=int, default=0, help="of that choice (default 0)")


def _zone(text: str) -> bytes:
    try:
        return names.from_text(text).lower()
    except NameTextError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(text: str) -> int:
    return _at_least(text, 0)


def _concurrency(text: str) -> int:
    found = _at_least(text, 1)
    if found > MOST_CONCURRENCY:
        raise argparse.ArgumentTypeError(f"{text} is more than {MOST_CONCURRENCY}")
    return found


def _at_least(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise argparse.ArgumentTypeError(f"{text} is no whole number from {least} on")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def _patience(text: str) -> float:
    """Seconds of a duration, some."""
    found = duration(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is no time to wait for a reply")
    return found
