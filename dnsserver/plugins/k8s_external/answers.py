"""What the state of the block's cluster says in the zones of `k8s_external`."""

from collections.abc import Sequence
from dataclasses import replace

from dnsserver.answering.lookup import Resolution
from dnsserver.answering.reply import Reply
from dnsserver.plugins.k8s_external.settings import ExternalSettings
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.plugins.plugin import ZoneCopy
from dnsserver.wire import names
from dnsserver.wire.question import Question
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.external import ExternalView, Outside, external_views
from dnsserver.zone.objects import ObjectKey
from dnsserver.zone.policy import RecordPolicy

NAME = "k8s_external"


class ExternalAnswers(StateAnswers):
    """As those of `kubernetes`, but that the name server's names never fall through."""

    def __init__(
        self,
        state: ClusterState,
        views: Sequence[ExternalView],
        fallthrough: Sequence[bytes],
        policy: RecordPolicy,
    ) -> None:
        super().__init__(state, views, fallthrough, policy, NAME)
        self.views = views

    def falls_through(self, name: bytes, resolution: Resolution) -> bool:
        return not any(view.is_own(name) for view in self.views) and super().falls_through(name, resolution)


class JoinedAnswers:
    """Repeatable: those of a block's plugin, from when it has met the block's `kubernetes`."""

    def __init__(self, settings: ExternalSettings) -> None:
        self._settings = settings
        self._answers: ExternalAnswers | None = None

    def join(self, cluster: StateAnswers) -> None:
        """What is exposed, and how endpoints are named, is as in the cluster's own zones."""
        settings = self._settings
        policy = replace(
            cluster.policy,
            ttl=settings.ttl,
            ignore_empty_service=False,
            zonal=False,
            below=(),
            alias_ports=True,
        )
        outside = Outside(settings.apex, settings.headless)
        views = external_views(settings.zones, cluster.state, policy, outside)
        self._answers = ExternalAnswers(cluster.state, views, settings.fallthrough, policy)

    @property
    def answers(self) -> ExternalAnswers:
        """RuntimeError before `join`."""
        if self._answers is None:
            raise RuntimeError(f"{NAME} has not met the block's kubernetes")
        return self._answers

    @property
    def state(self) -> ClusterState:
        return self.answers.state

    def repeatable(self, question: Question) -> tuple[Reply, ObjectKey | None] | None:
        """As Repeatable has it."""
        return self.answers.repeatable(question)

    def claims(self, question: Question) -> bool:
        """As Plugin has it."""
        return self.answers.claims(question)

    def zone_copy(self, origin: bytes) -> ZoneCopy | None:
        """As Plugin has it; the zones of a cluster that is not known yet cannot be had."""
        for view in self.answers.views if self.state.synced else ():
            if view.origin == origin:
                return ZoneCopy(view.soa.records(origin, origin)[0], view.records)
        return None

    def leaves_alone(self, question: Question) -> bool:
        """Whether the name lies in none of the zones."""
        return not any(names.is_below(question.name, zone) for zone in self._settings.zones)
