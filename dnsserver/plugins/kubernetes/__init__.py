"""Plugin `kubernetes`: the cluster's own zones."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from ipaddress import ip_address
from pathlib import Path

from dnsserver.config import Directive
from dnsserver.plugins.kubernetes.feeding import LIVE_SOURCE, MadeSource, fed, feeds, source_factory
from dnsserver.plugins.kubernetes.handler import KubernetesHandler
from dnsserver.plugins.kubernetes.labels import QueryLabels
from dnsserver.plugins.kubernetes.metrics import BlockMetrics
from dnsserver.plugins.kubernetes.report import beyond, check_lines, examples
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.plugins.kubernetes.state_answers import KUBERNETES, StateAnswers
from dnsserver.plugins.plugin import Handler, Listing, Plugin, Site, Witness, ZoneCopy
from dnsserver.transports.addresses import local_addresses
from dnsserver.wire import names
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.view import ZoneView, zone_views

__all__ = ["KubernetesSettings", "setup"]

#: Of this run of the program: every process of it has the same, as it is made before any of them is forked.
_RUN = os.urandom(16)


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = KubernetesSettings.from_directive(directive, site.zones, site.directory)
    now = site.server.now
    kept = site.keep(feeds(settings), _configuration(directive, site, settings), now)
    state = kept.state
    policy = record_policy(settings, site.bound or _reachable_addresses())
    zones = zone_views(settings.zones, settings.primary, state, policy, settings.clustersets)
    answers = StateAnswers(state, zones, settings.fallthrough or (), policy)
    metrics = BlockMetrics(names.to_text(settings.primary), state)

    made = MadeSource()
    factory = metrics.watching(
        made.remembering(site.source or source_factory(settings, now, metrics.traffic))
    )

    def wrap(next_handler: Handler) -> Handler:
        return KubernetesHandler(answers, next_handler, site.server.resolve)

    def follow() -> AbstractAsyncContextManager[None]:
        return fed(kept, settings, now, factory)

    def witness() -> Witness:
        # Imported here: a server does without it until something is to be explained.
        from dnsserver.plugins.kubernetes.witness import ClusterWitness

        return ClusterWitness(settings, state, policy, made.source)

    return Plugin(
        name=KUBERNETES,
        wrap=wrap,
        lifespan=kept.attending,
        follow=follow,
        modules=() if site.source or settings.manifests else (LIVE_SOURCE,),
        refresh=kept.refresh,
        waiting_for=lambda: waiting_for(state),
        out_of_date=lambda: out_of_date(state),
        check=lambda: check_lines(settings, state),
        examples=lambda: examples(settings, state),
        metrics=metrics.families,
        repeatable=answers,
        claims=answers.claims,
        leaves_alone=lambda question: answers.zone(question.name.lower()) is None,
        labels=QueryLabels(answers, settings.clustersets).of,
        zone_copy=lambda origin: _copy(zones, origin),
        listing=Listing(
            answers.listing,
            lambda: [zone.origin for zone in zones],
            lambda: beyond(settings),
            made.places,
            local=bool(settings.manifests or site.source),
            answers=answers.claims,
            read=follow,
        ),
        witness=witness,
    )


def _copy(zones: Sequence[ZoneView], origin: bytes) -> ZoneCopy | None:
    """As `Plugin.zone_copy`; the zones of a cluster that is not known yet cannot be had."""
    for zone in zones:
        if zone.origin == origin and zone.state.synced:
            return ZoneCopy(zone.soa.records(origin, origin)[0], zone.records)
    return None


def _configuration(directive: Directive, site: Site, settings: KubernetesSettings) -> bytes:
    """What the content of the state hangs on: a state of other settings may lack objects, one of another source is of
    another cluster."""
    words = [line.words for one in directive.occurrences for line in (one, *one.properties)]
    return hashlib.sha256(repr((words, site.zones, _origin(site, settings))).encode()).digest()


def _origin(site: Site, settings: KubernetesSettings) -> tuple[object, ...]:
    """Which cluster the objects are of. The same words may name another: from another folder, or in a file that was
    rewritten."""
    if site.source is not None:
        return "source", _RUN  # nothing is known of it: its state is of use to the processes of this run only
    if settings.manifests:
        return "manifests", [os.path.realpath(path) for path in settings.manifests]
    access = settings.access
    if access.kubeconfig is not None:
        return "kubeconfig", os.path.realpath(access.kubeconfig), _content(access.kubeconfig)
    if access.endpoint:
        return "endpoint", access.endpoint
    server = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    return "service account", server, _content(access.service_account / "ca.crt")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # whoever reads it for its sake says what is wrong
        return b""


def _reachable_addresses() -> tuple[str, ...]:
    """This host's addresses that a client elsewhere can use: a link-local one says nothing without its interface."""
    return tuple(address for address in local_addresses() if not ip_address(address).is_link_local)


def record_policy(settings: KubernetesSettings, own_addresses: tuple[str, ...]) -> RecordPolicy:
    """How the records of the block are made."""
    return RecordPolicy(
        ttl=settings.ttl,
        pods=settings.pods,
        endpoint_pod_names=settings.endpoint_pod_names,
        ignore_empty_service=settings.ignore_empty_service,
        namespaces=settings.namespaces,
        own_addresses=own_addresses,
        zonal=settings.zonal,
    )


def waiting_for(state: ClusterState) -> str:
    """Why the cluster has not been known yet; "" from the first full lists on."""
    return "" if state.synced else "no full list yet of " + ", ".join(state.waiting_for)


def out_of_date(state: ClusterState) -> str:
    """The feeds that cannot be followed at present, with the reasons; "" when all can."""
    return "; ".join(f"{feed.value}: {reason}" for feed, reason in state.stale.items())
