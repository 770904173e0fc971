"""One line per query."""

import logging
import time
from collections.abc import Callable

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.log.classes import CLASSES, classify
from dnsserver.plugins.log.formats import Exchange, Format
from dnsserver.plugins.log.settings import LogSettings
from dnsserver.plugins.plugin import Handler

#: Not below dnsserver.plugin: these lines have no `plugin/log: ` in front.
_log = logging.getLogger("dnsserver.queries")


class Log:
    """Logs what *next* answers, as *settings* say. *now* gives Unix seconds."""

    def __init__(self, following: Handler, settings: LogSettings, now: Callable[[], float]) -> None:
        self._next = following
        self._settings = settings
        self._forms = {rule.format: Format(rule.format) for rule in settings.rules}
        self._now = now

    async def __call__(self, query: Query) -> Reply | None:
        rule = self._settings.rule_for(query.name)
        if rule is None:
            return await self._next(query)
        start = time.perf_counter_ns()
        reply = await self._next(query)
        if rule.classes == CLASSES or classify(query, reply, self._now()) in rule.classes:
            form = self._forms[rule.format]
            _log.info("%s", form.fill(Exchange(query, reply, time.perf_counter_ns() - start)))
        return reply
