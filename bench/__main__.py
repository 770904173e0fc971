"""`python -m bench [--quick] [--out FOLDER] [SCENE...]`: all scenes, or those named."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.effort import FULL, QUICK, Bench
from bench.load import Cores
from bench.machine import machine, versions
from bench.results import Results
from bench.scenes import NAMES, run
from bench.targets import targets

#: Where the results of all scenes go, if nothing else is said.
OUT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
TABLES, PLOT = "results.md", "plot.png"


def main() -> int:
    options = _parser().parse_args()
    unknown = [name for name in options.scenes if name not in NAMES]
    if unknown:
        print(f"unknown scene: {' '.join(unknown)}; there are: {' '.join(NAMES)}", file=sys.stderr)
        return 2
    # A part of the results, or quick ones, do not take the place of those that are kept.
    whole = not options.scenes and not options.quick
    out: Path | None = options.out or (OUT if whole else None)
    print(f"{machine()}\n{versions()}")
    begun, results = time.monotonic(), Results()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), QUICK if options.quick else FULL, Cores.found(), results)
        well = asyncio.run(run(bench, options.scenes or NAMES))
    print(f"\n{targets(results).text()}\n\n{time.monotonic() - begun:.0f} s")
    if out is not None:
        _write(results, out)
    return 0 if well else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory, measured.")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"one of: {', '.join(NAMES)}; default all")
    parser.add_argument("--quick", action="store_true", help="short runs: to try it, not to quote it")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=f"write {TABLES} and {PLOT} there; default docs/benchmarks, if all scenes run and without --quick",
    )
    return parser


def _write(results: Results, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    parts = [f"# Results\n\n{machine()}.\n{versions()}.", targets(results).text(), *results.remarks]
    if _plot(results, out / PLOT):
        parts.append(f"![CPU microseconds per query, by scene and server]({PLOT})")
    parts += [section.text() for section in results.sections]
    (out / TABLES).write_text("\n\n".join(parts) + "\n")
    print(f"written: {out / TABLES}")


def _plot(results: Results, path: Path) -> bool:
    try:
        from bench.plot import draw
    except ImportError as error:
        print(f"no plot: {error} (pip install '.[bench]')", file=sys.stderr)
        return False
    return draw(results, f"{machine()}. {versions()}.", path)


if __name__ == "__main__":
    sys.exit(main())
