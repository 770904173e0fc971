"""Names that another plugin may claim at any moment, such as a Service in a zone with `fallthrough`."""

from collections.abc import Callable, Iterator

from dnsserver.plugins.plugin import Plugin
from dnsserver.wire.codes import Class
from dnsserver.wire.question import Question


class Claims:
    """*behind* gives the plugins behind the cache."""

    def __init__(self, behind: Callable[[], tuple[Plugin, ...]]) -> None:
        self._behind = behind

    def is_claimed(self, question: Question) -> bool:
        """Whether a plugin answers *question* itself now, so that what another has answered before is over."""
        return any(
            plugin.claims is not None and plugin.claims(question) for plugin in self._claimants(question)
        )

    def may_be_claimed(self, question: Question) -> bool:
        """Whether a plugin may do so one day."""
        return any(self._claimants(question))

    def _claimants(self, question: Question) -> Iterator[Plugin]:
        if question.rclass != Class.IN:
            return
        for plugin in self._behind():
            if plugin.claims is not None and not (plugin.leaves_alone and plugin.leaves_alone(question)):
                yield plugin
