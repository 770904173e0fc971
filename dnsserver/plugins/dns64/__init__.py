"""Makes IPv6 addresses of IPv4 addresses, for networks with NAT64 (RFC 6147)."""

from dnsserver.config import Directive
from dnsserver.plugins.dns64.handler import Dns64, Translated
from dnsserver.plugins.dns64.settings import Dns64Settings
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.wire.codes import Type


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings, translated = Dns64Settings.from_directive(directive), Translated()

    def wrap(following: Handler) -> Handler:
        return Dns64(following, settings, site.server.resolve, translated)

    return Plugin(
        name="dns64",
        wrap=wrap,
        leaves_alone=lambda question: question.rtype != Type.AAAA,
        metrics=translated.families,
    )
