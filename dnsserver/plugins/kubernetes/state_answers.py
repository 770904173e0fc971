"""What the cluster's state alone says: replies that everyone may get who asks the same, until the state changes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Protocol

from dnsserver.answering.authoritative import reply_to
from dnsserver.answering.lookup import Elsewhere, Endless, NxDomain, Resolution, resolve
from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Plugin
from dnsserver.wire import names
from dnsserver.wire.codes import Class, ExtendedError, Type
from dnsserver.wire.edns import extended_error
from dnsserver.wire.question import Question
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.listing import Enumerable, Listed, listing
from dnsserver.zone.objects import ObjectKey, Pod
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.view import Zone


class ListedZone(Zone, Enumerable, Protocol):
    """A zone that can be asked, and whose names can be told."""


#: The name of the plugin that has the cluster.
KUBERNETES = "kubernetes"

#: Goes with answers of an earlier run's state (RFC 8914 section 4.4).
_STALE = extended_error(ExtendedError.STALE_ANSWER, "as stored by an earlier run")


class StateAnswers:
    """*fallthrough*: the zones in which a name that does not exist is the next plugin's business. *plugin*: who
    answers. `policy` is how the records of *zones* are made."""

    def __init__(
        self,
        state: ClusterState,
        zones: Sequence[ListedZone],
        fallthrough: Sequence[bytes],
        policy: RecordPolicy,
        plugin: str = KUBERNETES,
    ) -> None:
        self.state = state
        self.policy = policy
        self._plugin = plugin
        self._zones = {zone.origin: zone for zone in zones}
        self._fallthrough = tuple(fallthrough)

    def zone(self, name: bytes) -> Zone | None:
        """The longest zone at or above *name* (lower case)."""
        return next((self._zones[suffix] for suffix in names.suffixes(name) if suffix in self._zones), None)

    def repeatable(self, question: Question) -> tuple[Reply, ObjectKey | None] | None:
        """The reply to *question* if it hangs on nothing but the cluster's state, and whose change can end it.

        That is a Service, or None for any change at all. Namespaces are not named: many names hang on each.
        """
        name = question.name.lower()
        zone = self.zone(name)
        if zone is None or not looked_up(question) or not self.state.synced:
            return None
        resolution = resolve(zone, question)
        reply = self.settled(zone, resolution, name)
        if reply is None:
            return None
        # A chain hangs on every Service along it, also one that leads nowhere and leaves no CNAME in the reply.
        chained = bool(resolution.cnames) or isinstance(resolution.outcome, Endless)
        return reply, None if chained else zone.depends_on(name)

    def claims(self, question: Question) -> bool:
        """Whether no other plugin has a say, unless the cluster is not known yet."""
        name = question.name.lower()
        zone = self.zone(name)
        return (
            zone is not None and looked_up(question) and not self.falls_through(name, resolve(zone, question))
        )

    def settled(self, zone: Zone, resolution: Resolution, name: bytes) -> Reply | None:
        """The reply that the zone itself gives; None where others have a say, or the cluster is not known yet."""
        outcome = resolution.outcome
        if isinstance(outcome, Elsewhere) or self.falls_through(name, resolution):
            return None
        if isinstance(outcome, NxDomain) and not self.state.synced:
            return None
        return self.told(zone, resolution)

    def told(self, zone: Zone, resolution: Resolution) -> Reply:
        """What the zone says, be it the whole reply or the first part; with a word on its age, if the state is that of
        an earlier run."""
        reply = self.signed(reply_to(zone, resolution))
        return replace(reply, options=(_STALE,)) if self.state.restored else reply

    def listing(self) -> Iterator[Listed]:
        """Every name of the zones, with its records, as they are when they come."""
        for zone in self._zones.values():

            def answered(name: bytes, zone: ListedZone = zone) -> bool:
                return self.zone(name) is zone

            yield from listing(zone, answered)

    def pod_of(self, query: Query) -> Pod | None:
        """The pod that asks, where pods are watched. Pods on a host's network share its address: then the first by
        namespace and name."""
        client = str(ip_address(query.arrival.client_host.partition("%")[0]))
        return min(self.state.pods_at(client), key=lambda pod: pod.key, default=None)

    def signed(self, reply: Reply) -> Reply:
        """*reply* as this plugin's own."""
        return replace(reply, plugin=self._plugin, live=True)

    def falls_through(self, name: bytes, resolution: Resolution) -> bool:
        """Whether the name asked for does not exist, and is then another plugin's business."""
        if not isinstance(resolution.outcome, NxDomain) or resolution.cnames:
            return False
        return any(names.is_below(name, zone) for zone in self._fallthrough)


def looked_up(question: Question) -> bool:
    """Whether the zone's data answer it: class IN, and no transfer."""
    return question.rclass == Class.IN and question.rtype not in (Type.AXFR, Type.IXFR)


def cluster_of(plugins: Iterable[Plugin]) -> StateAnswers | None:
    """The answers of the plugin `kubernetes` among *plugins*."""
    found = (plugin.repeatable for plugin in plugins if plugin.name == KUBERNETES)
    return next((each for each in found if isinstance(each, StateAnswers)), None)
