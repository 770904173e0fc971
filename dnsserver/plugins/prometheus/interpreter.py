"""What `runtime_metrics` adds: the event loop, the garbage collector and the interpreter."""

import asyncio
import gc
import platform
import sys
from collections.abc import Iterator

from dnsserver.observability.families import Family, Kind

#: Metric, and the key of gc.get_stats() that it shows.
_COLLECTOR = (
    ("python_gc_objects_collected_total", "collected", "Objects that the garbage collector freed."),
    ("python_gc_objects_uncollectable_total", "uncollectable", "Objects that it could not free."),
    ("python_gc_collections_total", "collections", "Runs of the garbage collector."),
)


def interpreter_families() -> Iterator[Family]:
    """Names as Python's client library has them, and `go_goroutines` for dashboards that chart it."""
    tasks = float(len(asyncio.all_tasks()))
    yield Family("go_goroutines", Kind.GAUGE, "Tasks of the event loop.", (), (((), tasks),), max)
    version = ".".join(map(str, sys.version_info[:3]))
    labels, values = ("implementation", "version"), (platform.python_implementation(), version)
    yield Family("python_info", Kind.GAUGE, "1; the interpreter.", labels, ((values, 1),), max)
    statistics = gc.get_stats()
    for name, key, text in _COLLECTOR:
        samples = tuple(((str(number),), float(stat[key])) for number, stat in enumerate(statistics))
        yield Family(name, Kind.COUNTER, text, ("generation",), samples, max)
