"""Log lines for replies that carry an error (coredns-compat.md, section 3.1)."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config.gotext import duration_text
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.errors.settings import Rule
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, type_name

_log = plugin_logger("errors")


class RuleCount:
    """The errors of one rule since its period began. Periods begin with an error; without errors no time runs."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<RuleCount {self.rule.pattern.text!r} count={self._count}>"

    def add(self) -> bool:
        """Count an error; True when it should be logged by itself."""
        self._count += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, self.rule.period_s), self.end)
        return self._count == 1 and self.rule.show_first

    def end(self) -> None:
        """End the period, and tell what has not been told."""
        if self._timer is not None:
            self._timer.cancel()
        count, self._count, self._timer = self._count, 0, None
        if count > (1 if self.rule.show_first else 0):
            period = duration_text(self.rule.period_s)
            text = self.rule.pattern.text
            _log.log(self.rule.level, "%d errors like '%s' occurred in last %s", count, text, period)


class ErrorReports:
    """Decides for each error whether it is logged or counted."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._counts = [RuleCount(rule) for rule in rules]
        self._ended = False

    def __repr__(self) -> str:
        return f"<ErrorReports {self._counts!r}>"

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """At the end, tell the numbers of the periods that are cut short, and count no more."""
        try:
            yield
        finally:
            self._ended = True
            for count in self._counts:
                count.end()

    def report(self, query: Query, rcode: int, text: str) -> None:
        level = logging.ERROR
        for count in self._counts:
            if count.rule.pattern.is_found_in(text):
                if not self._ended and not count.add():
                    return
                level = count.rule.level
                break
        _log.log(
            level, "%d %s %s: %s", rcode, names.to_text(query.name), type_name(query.question.rtype), text
        )


@dataclass(frozen=True, slots=True)
class Errors:
    """Reports the error of every reply of *next*; the reply goes on as it is."""

    next: Handler
    reports: ErrorReports
    stacktrace: bool

    async def __call__(self, query: Query) -> Reply | None:
        try:
            reply = await self.next(query)
        except Exception as error:
            if self.stacktrace:
                name, rtype = names.to_text(query.name), type_name(query.question.rtype)
                _log.exception("%d %s %s: %s", Rcode.SERVFAIL, name, rtype, repr(error))
            raise
        if reply is not None and reply.error:
            self.reports.report(query, reply.rcode, reply.error)
        return reply
