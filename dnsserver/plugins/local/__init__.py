"""Answers names of the host itself, and keeps them from going elsewhere (RFC 6761, RFC 6303)."""

from dnsserver.config import Directive, Property
from dnsserver.plugins.local.handler import Local, LocalCount, is_local
from dnsserver.plugins.plugin import Handler, Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    """Raises ConfigError."""
    prefix = True
    for occurrence in directive.occurrences:
        occurrence.exactly(0)
        for line in occurrence.properties:
            if line.text != "localhost_prefix":
                raise line.unknown()
            prefix = _switch(line)
    count = LocalCount()

    def wrap(following: Handler) -> Handler:
        return Local(following, prefix, count)

    return Plugin(
        name="local",
        wrap=wrap,
        leaves_alone=lambda question: not is_local(question.name.lower(), prefix),
        metrics=count.families,
    )


def _switch(line: Property) -> bool:
    text = line.one().text
    if text not in ("on", "off"):
        raise line.error(f"localhost_prefix expects 'on' or 'off', got \"{text}\"")
    return text == "on"
