"""Serve until a signal says stop (coredns-compat.md, section 5.2)."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from dnsserver.config import Corefile
from dnsserver.runtime.server import ClusterDnsServer, StartError

__all__ = ["StartError", "serve_until_signal"]

LOG = logging.getLogger("dnsserver")

#: Exit code of a second SIGINT: the first one's orderly stop was too slow for somebody.
IMPATIENT_EXIT = 2


async def serve_until_signal(
    corefile: Corefile, directory: Path, started: Callable[[Sequence[tuple[str, str]]], None]
) -> int:
    """Serve *corefile* and return the exit code. *started* gets names and types that may be asked for.

    Raises ConfigError and StartError.
    """
    stop = asyncio.Event()
    _install_signals(stop)
    server = ClusterDnsServer(corefile, directory)
    starting = asyncio.create_task(server.__aenter__(), name="start")
    stopping = asyncio.create_task(stop.wait(), name="wait for a signal")
    # A signal during the start (which may wait for the API server) must not have to wait for its end.
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait((starting,))
        return 0
    stopping_now = stop.is_set()
    try:
        await starting
        if not stopping_now:
            started(
                [example for plugin in server.plugins() if plugin.examples for example in plugin.examples()]
            )
            await stopping
            await server.go_lame()
    finally:
        stopping.cancel()
        await server.__aexit__()
    return 0


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

    def reload() -> None:
        LOG.warning("SIGUSR1: reloading is not supported yet; restart to load a changed Corefile")

    loop.add_signal_handler(signal.SIGTERM, terminate)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGQUIT, os._exit, 0)
    loop.add_signal_handler(signal.SIGUSR1, reload)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
