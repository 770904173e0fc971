"""Plugin `k8s_external`: names of the cluster's Services for clients outside of it."""

from collections.abc import Mapping

from dnsserver.config import Directive
from dnsserver.plugins.k8s_external.answers import NAME, JoinedAnswers
from dnsserver.plugins.k8s_external.settings import ExternalSettings
from dnsserver.plugins.kubernetes.handler import KubernetesHandler
from dnsserver.plugins.kubernetes.state_answers import KUBERNETES, cluster_of
from dnsserver.plugins.plugin import Handler, Listing, Plugin, Site
from dnsserver.zone.objects import Identity

__all__ = ["ExternalSettings", "setup"]


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError; so does meeting a block without `kubernetes`."""
    joined = JoinedAnswers(ExternalSettings.from_directive(directive, site.zones))

    def meet(plugins: tuple[Plugin, ...]) -> None:
        cluster = cluster_of(plugins)
        if cluster is None:
            raise directive.occurrences[0].bare_error("kubernetes plugin not loaded")
        joined.join(cluster)

    def places() -> Mapping[Identity, str]:
        """Those of the block's cluster."""
        block = site.block()
        found = (each.listing for each in block if each.name == KUBERNETES)
        return next((listing.places() for listing in found if listing is not None), {})

    def wrap(next_handler: Handler) -> Handler:
        return KubernetesHandler(joined.answers, next_handler, site.server.resolve)

    return Plugin(
        name=NAME,
        wrap=wrap,
        meet=meet,
        repeatable=joined,
        claims=joined.claims,
        leaves_alone=joined.leaves_alone,
        zone_copy=joined.zone_copy,
        listing=Listing(
            lambda: joined.answers.listing(),
            lambda: [view.origin for view in joined.answers.views],
            places=places,
            answers=joined.claims,
        ),
    )
