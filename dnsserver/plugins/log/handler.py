"""One line per query."""

import logging
import time
from collections.abc import Callable, Iterable

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.log.classes import CLASSES, classify
from dnsserver.plugins.log.formats import Exchange, Format
from dnsserver.plugins.log.settings import Rule
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names

#: Not below dnsserver.plugin: these lines have no `plugin/log: ` in front.
_log = logging.getLogger("dnsserver.queries")


class Log:
    """Logs what *next* answers, by the first of *rules* whose scope has the name. *now* gives Unix seconds."""

    def __init__(self, following: Handler, rules: Iterable[Rule], now: Callable[[], float]) -> None:
        self._next = following
        self._rules = tuple((rule, Format(rule.format)) for rule in rules)
        self._now = now

    async def __call__(self, query: Query) -> Reply | None:
        for rule, form in self._rules:
            if names.is_below(query.name, rule.scope):
                start = time.perf_counter_ns()
                reply = await self._next(query)
                if rule.classes == CLASSES or classify(query, reply, self._now()) in rule.classes:
                    _log.info("%s", form.fill(Exchange(query, reply, time.perf_counter_ns() - start)))
                return reply
        return await self._next(query)
