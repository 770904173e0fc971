"""Answers the names of a hosts file, and of lines of the Corefile in the same form."""

from dnsserver.config import Directive
from dnsserver.plugins.hosts.handler import PLUGIN, Hosts, HostsAnswers
from dnsserver.plugins.hosts.listing import listing_of
from dnsserver.plugins.hosts.settings import HostsSettings
from dnsserver.plugins.hosts.watching import KnownHosts
from dnsserver.plugins.plugin import Handler, Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = HostsSettings.from_directive(directive, site.zones, site.directory)
    known = KnownHosts(settings, site.server.forget)
    answers = HostsAnswers(settings, known)

    def wrap(following: Handler) -> Handler:
        return Hosts(following, answers)

    return Plugin(
        name=PLUGIN,
        wrap=wrap,
        leaves_alone=answers.leaves_alone,
        lifespan=known.lifespan,
        follow=known.warned,
        metrics=known.families,
        check=known.check,
        listing=listing_of(answers, directive.last().name.where),
    )
