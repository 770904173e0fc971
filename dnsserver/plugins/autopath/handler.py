"""A name that the client's resolver has completed by the first element of its search list: go on with the others here,
and spare the client the queries (cluster-dns-behaviour.md, section 14.2)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dnsserver.answering.query import Query, about
from dnsserver.answering.reply import Reply
from dnsserver.plugins.autopath.search import SearchLists
from dnsserver.plugins.place import server_label
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record, name_rdata

#: RCODEs of replies that no plugin has written: the walk goes on.
_UNWRITTEN = frozenset((Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED))


class Autopath:
    """`completed` counts, by the label `server`, the names that another element than the first one has led to."""

    def __init__(
        self, next_handler: Handler, zones: Sequence[bytes], search: SearchLists, completed: Counter[str]
    ) -> None:
        self._next = next_handler
        self._zones = zones
        self._search = search
        self._completed = completed

    async def __call__(self, query: Query) -> Reply | None:
        first = await self._next(query)
        if first is None or (first.rcode != Rcode.NXDOMAIN and not _unwritten(first)):
            return first
        for probe in self._probes(query):
            reply = await self._next(probe)
            if reply is not None and reply.error:
                return reply  # nothing good can come after it
            if reply is None or reply.rcode == Rcode.NXDOMAIN or _unwritten(reply):
                continue
            self._completed[server_label(query.arrival)] += 1
            return _under(query.question.name, reply)
        return first

    def _probes(self, query: Query) -> Iterable[Query]:
        """Queries for what the name may mean besides what it says."""
        name = query.question.name
        if not any(names.is_below(name, zone) for zone in self._zones):
            return
        search = self._search.of(query)
        split = names.split_at(name, search[0]) if search else None
        if split is None or not split[0]:
            return
        for suffix in (*search[1:], names.ROOT):
            target = split[0] + suffix
            if len(target) <= NAME_MAX:
                yield about(query, Question(target, query.question.rtype, query.question.rclass))


def _unwritten(reply: Reply) -> bool:
    """Whether *reply* is an RCODE that the chain ended with, and no plugin's answer. An error is one that ends all."""
    return not reply.plugin and not reply.error and reply.rcode in _UNWRITTEN


def _under(name: bytes, reply: Reply) -> Reply:
    """*reply* for the client, who has asked for *name*: an alias for what it has the records of."""
    if not reply.answer or reply.answer[0].owner.lower() == name.lower():
        return reply
    (head, *_) = reply.answer
    alias = Record(name, Type.CNAME, head.ttl, name_rdata(head.owner))
    return replace(reply, answer=(alias, *reply.answer))
