"""Plugin `autopath`: the search list of a client is walked here."""

import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from dnsserver.config import Directive
from dnsserver.observability.families import Family, Kind
from dnsserver.plugins.autopath.handler import Autopath
from dnsserver.plugins.autopath.search import Nobody, OfPods, OneForAll, SearchLists
from dnsserver.plugins.autopath.settings import AutopathSettings, search_list
from dnsserver.plugins.kubernetes.state_answers import KUBERNETES, cluster_of
from dnsserver.plugins.plugin import Handler, Plugin, Repeatable, Site
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode
from dnsserver.wire.question import Question

__all__ = ["AutopathSettings", "setup"]

#: The search list of this host, which comes after the cluster's zones.
RESOLV_CONF = Path("/etc/resolv.conf")

LOG = logging.getLogger("dnsserver.plugin.autopath")


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError; so does meeting a plugin that knows no search lists."""
    joined = _Joined(directive, AutopathSettings.from_directive(directive, site.zones, site.directory))

    def wrap(next_handler: Handler) -> Handler:
        return Autopath(next_handler, joined.settings.zones, joined.search, joined.completed)

    return Plugin(
        name="autopath",
        wrap=wrap,
        meet=joined.meet,
        leaves_alone=joined.leaves_alone,
        follow=joined.told,
        metrics=joined.families,
    )


class _Joined:
    """What is known of search lists, from when the plugin has met the others of its block."""

    def __init__(self, directive: Directive, settings: AutopathSettings) -> None:
        self.settings = settings
        self.search: SearchLists = OneForAll(settings.search)
        self.completed: Counter[str] = Counter()
        self._directive = directive
        self._states: tuple[Repeatable, ...] = ()
        self._inactive = ""

    def meet(self, plugins: tuple[Plugin, ...]) -> None:
        """Raises ConfigError."""
        self._states = tuple(plugin.repeatable for plugin in plugins if plugin.repeatable is not None)
        wanted = self.settings.plugin
        if not wanted:
            return
        self.search = Nobody()
        cluster = cluster_of(plugins)
        if wanted != KUBERNETES or cluster is None:
            if any(plugin.name == wanted for plugin in plugins):
                raise self._directive.last().bare_error(
                    f"{wanted} does not implement the AutoPather interface"
                )
            self._inactive = f"the server block has no plugin {wanted}"
            return
        self.search = lists = OfPods(cluster, _own_search_list())
        if not lists.active:
            self._inactive = "kubernetes must have `pods verified`"

    def leaves_alone(self, question: Question) -> bool:
        """Whether no client's query of *question* is completed: its name lies below nobody's first element, or a
        cluster's state has something under that very name."""
        name = question.name.lower()
        inside = any(names.is_below(name, zone) for zone in self.settings.zones)
        if not inside or not self.search.may_begin(name):
            return True
        found = (reply for state in self._states if (reply := state.repeatable(question)) is not None)
        first = next(found, None)
        return first is not None and first[0].rcode != Rcode.NXDOMAIN

    @contextlib.asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Say once when there is nothing to do."""
        if self._inactive:
            LOG.warning("autopath @%s is inactive: %s", self.settings.plugin, self._inactive)
        yield

    def families(self) -> Iterator[Family]:
        samples = tuple(((server,), float(number)) for server, number in self.completed.items())
        text = "Names that were completed by another element of a search list than the first."
        yield Family("coredns_autopath_success_total", Kind.COUNTER, text, ("server",), samples)


def _own_search_list() -> tuple[bytes, ...]:
    """None where the host has no such file, as most libraries have it."""
    try:
        return search_list(RESOLV_CONF)
    except (OSError, ValueError) as error:
        LOG.debug("no search list from %s: %s", RESOLV_CONF, error)
        return ()
