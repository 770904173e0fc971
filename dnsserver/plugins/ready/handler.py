"""Which plugins are waited for (coredns-compat.md, sections 3.3 and 5.1)."""

from dnsserver.observability.http import HttpAnswer
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.plugin import Server

_log = plugin_logger("ready")


class Readiness:
    """Asks the plugins of all server blocks; unless *continuously*, none again that has been ready."""

    def __init__(self, server: Server, continuously: bool) -> None:
        self._server = server
        self._continuously = continuously
        self._done: set[int] = set()

    def __repr__(self) -> str:
        return f"<Readiness continuously={self._continuously} done={sorted(self._done)}>"

    def waiting(self) -> tuple[str, ...]:
        """The names of the plugins that are not ready, sorted, each once."""
        names = set()
        for number, plugin in enumerate(self._server.plugins()):
            if number in self._done:
                continue
            if plugin.waiting_for is not None and plugin.waiting_for():
                names.add(plugin.name)
            elif not self._continuously:
                self._done.add(number)
            elif plugin.out_of_date is not None and plugin.out_of_date():
                names.add(plugin.name)
        return tuple(sorted(names))

    def answer(self) -> HttpAnswer:
        """What `/ready` says now."""
        if self._server.stopping():
            return HttpAnswer(503, b"Shutting down")
        unmanned = self._server.unmanned()
        if unmanned:
            _log.info("Not ready: %s", unmanned)
            return HttpAnswer(503, unmanned.encode())
        waiting = ",".join(self.waiting())
        if not waiting:
            return HttpAnswer(200, b"OK")
        _log.info('Plugins not ready: "%s"', waiting)
        return HttpAnswer(503, waiting.encode())
