"""Accepted, and without effect: profiles of Go programs do not exist here."""

import contextlib
from collections.abc import AsyncIterator

from dnsserver.config import Directive, Property
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.http_address import host_port
from dnsserver.plugins.plugin import Plugin, Site

_log = plugin_logger("pprof")

DEFAULT = ("localhost", 6053)


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    """Raises ConfigError, as if there were something to configure."""
    occurrence = directive.once()
    host_port(occurrence, DEFAULT)
    for line in occurrence.properties:
        if line.text != "block":
            raise line.unknown()
        _check_rate(line)
    return Plugin(name="pprof", follow=_told)


def _check_rate(line: Property) -> None:
    for token in line.at_most(1):
        try:
            line.integer(token)
        except ValueError:
            raise line.error(f"property 'block' invalid integer value '{token.text}'", token) from None


@contextlib.asynccontextmanager
async def _told() -> AsyncIterator[None]:
    _log.warning("Go's profiles do not exist here, nothing is served: use py-spy on the process")
    yield
