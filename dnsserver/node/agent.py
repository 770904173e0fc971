"""The process in front of the server on a node: interface first, then the server, rules last, and back.

It starts the server as its child, so that whatever becomes of that, the node is left as it was found: a packet for an
address where nobody answers is worse than one that goes the long way.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable

from dnsserver.node.corefile import NodeCorefile
from dnsserver.node.errors import NodeError, SetupErrors
from dnsserver.node.network import NodeNetwork
from dnsserver.node.settings import NodeSettings
from dnsserver.observability.http import HttpAnswer, HttpListener
from dnsserver.observability.http_sockets import HttpListenError, bind_http
from dnsserver.runtime.privileges import Capability, give_up
from dnsserver.runtime.processes.child import die_with, flush, settle_memory
from dnsserver.transports.sharing import share

LOG = logging.getLogger("dnsserver.node")

#: Serves the Corefile until a signal says stop; the exit code. It calls its argument once all sockets are answered.
Serve = Callable[[Callable[[], None]], int]
#: What ends the server, and what it does at once. SIGHUP it ignores.
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_ALL = (*_ENDING, signal.SIGUSR1, signal.SIGHUP)
#: What a shell adds to the number of the signal that ended a program.
_SIGNALLED = 128


def run_node(settings: NodeSettings, serve: Serve) -> int:
    """Serve on this node until a signal says stop; the exit code. Raises NodeError when it cannot begin.

    Not to be called in a process with threads or an event loop.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)
    try:
        return _Agent(settings, serve).run(mask)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class _Agent:
    def __init__(self, settings: NodeSettings, serve: Serve) -> None:
        self._settings = settings
        self._serve = serve
        self._errors = SetupErrors()
        self._corefile = NodeCorefile(settings)
        self._network = NodeNetwork(settings, self._errors)
        self._server = 0
        self._ended = asyncio.Event()
        self._code = 0
        self._answers = False
        self._stale = False
        """The Corefile has changed since the server began to start."""
        self._asked_to_end: int | None = None

    def run(self, mask: Iterable[int]) -> int:
        """*mask*: the signals that were blocked before."""
        try:
            self._corefile.update()
        except NodeError as error:
            if not self._corefile.text:
                raise
            self._errors.tell(error)
        try:
            self._network.prepare()
            reading = self._start(mask)
            return asyncio.run(self._live(reading, mask))
        finally:
            self._network.tear_down()

    def _start(self, mask: Iterable[int]) -> int:
        """Start the server; the end of the pipe from which a first octet comes once it answers."""
        reading, writing = os.pipe()
        parent = os.getpid()
        settle_memory()
        flush()
        self._server = os.fork()
        if self._server:
            os.close(writing)
            return reading
        code = 1
        try:
            os.close(reading)
            self._network.forget()
            die_with(parent)
            give_up(Capability.NET_ADMIN)  # who is asked by the network has no need to rule it
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            code = self._serve(lambda: _tell(writing))
            flush()
        except BaseException:
            LOG.exception("the server failed")
        finally:
            os._exit(code)

    async def _live(self, reading: int, mask: Iterable[int]) -> int:
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, self._started, reading)
        for number in _ENDING:
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGUSR1, self._reload)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self._reap()  # one that ended before there was a handler
        async with self._metrics(), asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in (self._follow_config(), self._keep_network())]
            await self._ended.wait()
            for task in tasks:
                task.cancel()
        loop.remove_reader(reading)
        os.close(reading)
        if self._code < 0 and -self._code == self._asked_to_end:
            return 0  # before it had a handler
        if self._code < 0:
            LOG.error("the server was ended by signal %d", -self._code)
            return _SIGNALLED - self._code
        return self._code

    def _reap(self) -> None:
        """Take note of who has ended: the server, and in a container whoever lost its parent."""
        with contextlib.suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if child == 0:
                    return
                if child == self._server:
                    self._code = os.waitstatus_to_exitcode(status)
                    self._ended.set()

    def _started(self, reading: int) -> None:
        asyncio.get_running_loop().remove_reader(reading)
        self._answers = bool(os.read(reading, 1))
        if not self._answers or self._asked_to_end is not None:
            return
        self._network.serve()
        if self._stale:
            self._send(signal.SIGUSR1)

    def _end(self, number: signal.Signals) -> None:
        """Send others elsewhere first, as far as that can be done; the server still answers meanwhile."""
        self._asked_to_end = number
        self._network.yield_rules()
        self._send(number)

    def _send(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            os.kill(self._server, number)

    def _reload(self) -> None:
        """Now, whatever `reload` thinks of it."""
        self._update_corefile()
        self._reload_server()

    def _reload_server(self) -> None:
        """Once it answers: before, the signal would end it."""
        if self._answers:
            self._send(signal.SIGUSR1)
        else:
            self._stale = True

    async def _follow_config(self) -> None:
        while True:
            await asyncio.sleep(self._settings.config_s)
            if self._update_corefile() and self._settings.reload_by_signal:
                self._reload_server()

    def _update_corefile(self) -> bool:
        before = self._corefile.text
        try:
            self._corefile.update()
        except NodeError as error:
            self._errors.tell(error)
        return self._corefile.text != before

    async def _keep_network(self) -> None:
        while True:
            await asyncio.sleep(self._settings.sync_s)
            self._network.check()

    @contextlib.asynccontextmanager
    async def _metrics(self) -> AsyncIterator[None]:
        """That the numbers cannot be had is no reason not to serve: as node-cache."""
        host, port = self._settings.metrics
        try:
            sockets = bind_http(host, port, share)
        except HttpListenError as error:
            LOG.error("Failed to start metrics handler: %s", error)
            yield
            return
        async with HttpListener(host, port, {"/metrics": self._exposed}, sockets=sockets):
            yield

    def _exposed(self) -> HttpAnswer:
        # Imported here: few ever ask.
        from dnsserver.observability.metrics import Exposition

        return Exposition(self._errors.families).answer()


def _tell(writing: int) -> None:
    os.write(writing, b"1")
    os.close(writing)
