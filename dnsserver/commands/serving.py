"""Serve a Corefile or manifests until a signal says stop."""

import argparse
import asyncio

from dnsserver.config import Corefile, Origin
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.runtime.privileges import use_granted_privileges
from dnsserver.runtime.processes.cpus import worker_count
from dnsserver.runtime.serving import Started, serve_until_signal
from dnsserver.runtime.surroundings import Between


def served(
    corefile: Corefile,
    origin: Origin,
    options: argparse.Namespace,
    started: Started,
    source: SourceFactory | None = None,
    between: Between | None = None,
) -> int:
    """Serve in as many processes as *options* say, until a signal says stop; with *between* there must be but one.

    Raises ConfigError and StartError.
    """
    use_granted_privileges()
    workers = worker_count(options.workers)
    if workers == 0:
        serving = serve_until_signal(
            corefile,
            origin,
            started,
            source,
            options.judge,
            between,
            shared=options.share_ports,
            admin=options.admin,
        )
        return asyncio.run(serving)
    # Imported here: one process does without LMDB.
    from dnsserver.runtime.several import ProcessOptions, serve_by_processes

    processes = ProcessOptions(
        workers=workers,
        auto=options.workers == "auto",
        state_dir=options.state_dir,
        state_max_age_s=options.state_max_age,
        judged=options.judge,
        shared=options.share_ports,
        admin=options.admin,
    )
    return serve_by_processes(corefile, origin, processes, started, source)
