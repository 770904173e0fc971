"""Changes the order of addresses from reply to reply."""

from dnsserver.config import Directive
from dnsserver.plugins.loadbalance.handler import Loadbalance
from dnsserver.plugins.loadbalance.settings import LoadbalanceSettings
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = LoadbalanceSettings.from_directive(directive)

    def wrap(following: Handler) -> Handler:
        return Loadbalance(following, settings)

    # With `prefer` the order hangs on the addresses themselves, so each reply has to be seen.
    repeats = Repeats.NEVER if settings.prefer else Repeats.SHUFFLED
    return Plugin(name="loadbalance", wrap=wrap, repeats=repeats)
