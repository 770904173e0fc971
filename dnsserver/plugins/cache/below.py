"""Whether NXDOMAIN for one name may be said of the names below it (RFC 8020)."""

from collections.abc import Callable

from dnsserver.answering.kinds import Kind
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Plugin, Repeats
from dnsserver.wire.codes import Class, Type
from dnsserver.wire.names import ROOT
from dnsserver.wire.question import Question


class BelowNxDomain:
    """*behind* gives the plugins behind the cache.

    A wrong "no such name" takes whole zones away, so all of this must hold:

    - The reply was validated (AD): many servers say NXDOMAIN for names with names below, CoreDNS among them, and one
      spoofed reply would be enough.
    - It speaks for a zone other than the root: private top-level domains do not exist to the root, and are resolved by
      the very servers that say so of `corp.` or `internal.`.
    - One plugin alone says what there is at and below the name, from one tree of names (`Plugin.one_tree`). Else a name
      in `hosts`, or of another `forward`, would go with the name above it.
    """

    def __init__(self, behind: Callable[[], tuple[Plugin, ...]]) -> None:
        self._behind = behind

    def is_certain(self, question: Question, reply: Reply, kind: Kind) -> bool:
        """Whether *reply* says that nothing below the name exists."""
        if kind is not Kind.NXDOMAIN or not reply.authentic or question.rclass != Class.IN:
            return False
        zones = [record.owner for record in reply.authority if record.rtype == Type.SOA]
        return ROOT not in zones and self.is_up_to(question, reply.plugin)

    def is_up_to(self, question: Question, plugin: str) -> bool:
        """Whether *plugin* alone says what *question* is answered."""
        return self._tree(question) == plugin

    def _tree(self, question: Question) -> str:
        """The plugin that has one tree for everything; "" when another may have a say."""
        for plugin in self._behind():
            if plugin.one_tree:
                return plugin.name
            if plugin.wrap is None or plugin.repeats is not Repeats.NEVER:
                continue
            if plugin.leaves_alone is None or not plugin.leaves_alone(question):
                return ""
        return ""
