"""Says which clients may ask which names and types."""

from dnsserver.config import Directive
from dnsserver.plugins.acl.handler import PLUGIN, Acl, AclCounts, allows_everybody
from dnsserver.plugins.acl.settings import AclSettings
from dnsserver.plugins.plugin import Handler, Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    rules = AclSettings.from_directive(directive, site.zones).rules
    counts = AclCounts(site.view)

    def wrap(following: Handler) -> Handler:
        return Acl(following, rules, counts)

    return Plugin(
        name=PLUGIN,
        wrap=wrap,
        leaves_alone=lambda question: allows_everybody(rules, question),
        metrics=counts.families,
    )
