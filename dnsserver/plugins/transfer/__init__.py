"""Zones to other servers."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.plugins.transfer.handler import Notifier, TransferHandler
from dnsserver.plugins.transfer.settings import TransferSettings
from dnsserver.wire.codes import Type


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = TransferSettings.from_directive(directive, site.zones)
    notifier = Notifier(settings)

    def wrap(following: Handler) -> Handler:
        return TransferHandler(settings, following, site.block)

    return Plugin(
        name="transfer",
        wrap=wrap,
        lifespan=notifier.lifespan,
        leaves_alone=lambda question: question.rtype not in (Type.AXFR, Type.IXFR),
        notify=notifier.notify,
    )
