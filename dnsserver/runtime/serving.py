"""Serve until a signal says stop (coredns-compat.md, section 5.2)."""

import asyncio
import contextlib
import logging
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

from dnsserver.config import Corefile
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.runtime.memory import room
from dnsserver.runtime.priority import collect_seldom
from dnsserver.runtime.processes.signals import IMPATIENT_EXIT, warn_that_reload_is_not_supported
from dnsserver.runtime.server import ClusterDnsServer, StartError
from dnsserver.runtime.surroundings import Surroundings

__all__ = ["StartError", "serve_until_signal"]

LOG = logging.getLogger("dnsserver")

#: Is called once the server answers.
Started = Callable[[ClusterDnsServer], None]


async def serve_until_signal(
    corefile: Corefile,
    directory: Path,
    started: Started,
    source: SourceFactory | None = None,
    judged: float = 0.0,
) -> int:
    """Serve *corefile* in this process and return the exit code.

    *started* is called once the sockets are open; *source* is as in ClusterDnsServer, *judged* as in Surroundings.

    Raises ConfigError and StartError.
    """
    raise_file_limit()
    collect_seldom()
    stop = asyncio.Event()
    _install_signals(stop)
    server = ClusterDnsServer(
        corefile,
        directory,
        source=source,
        surroundings=Surroundings(judged=judged, room=room(1, len(corefile.blocks))),
    )
    set_log_level(server)
    up = asyncio.Event()
    serving = asyncio.create_task(_serve(server, stop, up, started), name="serve")
    stopping = asyncio.create_task(stop.wait(), name="wait for a signal")
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not serving.done() and not up.is_set():
        serving.cancel()  # the start may be waiting for an API server that never comes
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    return 0


async def _serve(
    server: ClusterDnsServer,
    stop: asyncio.Event,
    up: asyncio.Event,
    started: Started,
) -> None:
    async with server:
        up.set()
        started(server)
        await stop.wait()
        await server.go_lame()
        await asyncio.sleep(server.lameduck_s)


def set_log_level(server: ClusterDnsServer) -> None:
    """As the plugin `debug` wants it."""
    if any(plugin.debug for plugin in server.plugins()):
        LOG.setLevel(logging.DEBUG)


def raise_file_limit() -> None:
    """Every TCP client is an open file; the soft limit of 1,024 that shells and containers begin with is for
    programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # not ours to raise: the pool of connections adapts
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _install_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def terminate() -> None:
        LOG.info("SIGTERM: Shutting down servers then terminating")
        stop.set()

    def interrupt() -> None:
        if stop.is_set():
            os._exit(IMPATIENT_EXIT)
        LOG.info("SIGINT: Shutting down")
        stop.set()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGQUIT, os._exit, 0)
    loop.add_signal_handler(signal.SIGUSR1, warn_that_reload_is_not_supported)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
