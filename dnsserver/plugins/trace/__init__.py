"""Accepted, and without effect: no spans are sent."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from dnsserver.config import Directive, Occurrence, Property
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.plugin import Plugin, Site

_log = plugin_logger("trace")

PROVIDERS = ("zipkin", "datadog")


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    """Raises ConfigError, as if there were something to configure."""
    for occurrence in directive.occurrences:
        _check_provider(occurrence)
        for line in occurrence.properties:
            check = _CHECKS.get(line.text)
            if check is None:
                raise line.unknown()
            check(line)
    return Plugin(name="trace", follow=_told)


def _check_provider(occurrence: Occurrence) -> None:
    words = occurrence.at_most(2)
    if len(words) == 2 and words[0].text.lower() not in PROVIDERS:
        raise occurrence.bare_error(
            f"tracing endpoint type '{words[0].text.lower()}' is not supported", words[0]
        )


def _count(line: Property) -> None:
    line.integer(line.one(), function="strconv.ParseUint")


def _integer(line: Property) -> None:
    line.integer(line.one())


def _duration(line: Property) -> None:
    line.duration(line.one())


def _word(line: Property) -> None:
    line.one()


def _switch(line: Property) -> None:
    for token in line.at_most(1):
        if token.text not in (
            "1",
            "t",
            "T",
            "TRUE",
            "true",
            "True",
            "0",
            "f",
            "F",
            "FALSE",
            "false",
            "False",
        ):
            raise line.bare_error(f'strconv.ParseBool: parsing "{token.text}": invalid syntax', token)


def _rate(line: Property) -> None:
    for token in line.at_most(1):
        try:
            rate = float(token.text)
        except ValueError:
            raise line.bare_error(
                f'strconv.ParseFloat: parsing "{token.text}": invalid syntax', token
            ) from None
        if not 0 <= rate <= 1:
            raise line.bare_error(
                f"datadog analytics rate must be between 0 and 1, '{rate:f}' is not supported", token
            )


_CHECKS: Mapping[str, Callable[[Property], None]] = {
    "every": _count,
    "service": _word,
    "client_server": _switch,
    "datadog_analytics_rate": _rate,
    "zipkin_max_backlog_size": _integer,
    "zipkin_max_batch_size": _integer,
    "zipkin_max_batch_interval": _duration,
}


@contextlib.asynccontextmanager
async def _told() -> AsyncIterator[None]:
    _log.warning("tracing is not supported, no spans are sent: see plugins log and prometheus")
    yield
