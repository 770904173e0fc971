"""Plugin `kubernetes`: the cluster's own zones."""

import hashlib
import os
from ipaddress import ip_address

from dnsserver.config import Directive
from dnsserver.plugins.kubernetes.feeding import fed, feeds, loaded_manifests
from dnsserver.plugins.kubernetes.handler import KubernetesHandler
from dnsserver.plugins.kubernetes.metrics import BlockMetrics
from dnsserver.plugins.kubernetes.report import check_lines, examples
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.plugins.plugin import Handler, Plugin, Site, Source
from dnsserver.transports.addresses import local_addresses
from dnsserver.wire import names
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.view import ServiceTable, ZoneView

__all__ = ["KubernetesSettings", "setup"]


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = KubernetesSettings.from_directive(directive, site.zones, site.directory)
    now = site.server.now
    kept = site.keep(feeds(settings), _configuration(directive, site), now)
    state = kept.state
    zones = zone_views(settings, state, site.bound or _reachable_addresses())
    answers = StateAnswers(state, zones, settings.fallthrough or ())
    metrics = BlockMetrics(names.to_text(settings.primary), state)

    async def manifests(state: ClusterState, _: frozenset[Feed]) -> Source:
        return await loaded_manifests(state, settings, now)

    factory = site.source or (manifests if settings.manifests else None)

    def wrap(next_handler: Handler) -> Handler:
        return KubernetesHandler(answers, next_handler, site.server.resolve)

    return Plugin(
        name="kubernetes",
        wrap=wrap,
        lifespan=kept.attending,
        follow=lambda: fed(kept, settings, now, factory and metrics.watching(factory)),
        refresh=kept.refresh,
        waiting_for=lambda: waiting_for(state),
        out_of_date=lambda: out_of_date(state),
        check=lambda: check_lines(settings, state),
        examples=lambda: examples(settings, state),
        metrics=metrics.families,
        repeatable=answers,
    )


def _configuration(directive: Directive, site: Site) -> bytes:
    """What the content of the state hangs on, besides the cluster: a state of other settings may lack objects."""
    words = [line.words for one in directive.occurrences for line in (one, *one.properties)]
    server = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    return hashlib.sha256(repr((words, site.zones, server)).encode()).digest()


def _reachable_addresses() -> tuple[str, ...]:
    """This host's addresses that a client elsewhere can use: a link-local one says nothing without its interface."""
    return tuple(address for address in local_addresses() if not ip_address(address).is_link_local)


def zone_views(
    settings: KubernetesSettings, state: ClusterState, own_addresses: tuple[str, ...]
) -> tuple[ZoneView, ...]:
    """The zones of *settings* over *state*."""
    policy = RecordPolicy(
        ttl=settings.ttl,
        pods=settings.pods,
        endpoint_pod_names=settings.endpoint_pod_names,
        ignore_empty_service=settings.ignore_empty_service,
        namespaces=settings.namespaces,
        own_addresses=own_addresses,
    )
    services = ServiceTable(state, policy)
    return tuple(ZoneView(zone, settings.primary, state, policy, services) for zone in settings.zones)


def waiting_for(state: ClusterState) -> str:
    """Why the cluster has not been known yet; "" from the first full lists on."""
    return "" if state.synced else "no full list yet of " + ", ".join(state.waiting_for)


def out_of_date(state: ClusterState) -> str:
    """The feeds that cannot be followed at present, with the reasons; "" when all can."""
    return "; ".join(f"{feed.value}: {reason}" for feed, reason in state.stale.items())
