"""A query through the chain of a server block, with what each plugin does noted down."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler, NoNextPlugin, Plugin
from dnsserver.wire.question import Question

#: Notes of one trace at most: a name whose aliases lead through many zones is asked for again and again.
NOTES_MAX = 200

#: Who answers the questions that plugins put to the whole server, while one of them is traced.
RESOLVER: ContextVar[Callable[[Query], Awaitable[Reply | None]] | None] = ContextVar("resolver", default=None)


@dataclass(slots=True)
class Note:
    """What one plugin had to do with a query: the question as it came and as it was passed on (None: it was not), and
    the replies that it got and gave."""

    plugin: str
    depth: int
    asked: Question
    passed: Question | None = None
    got: Reply | None = None
    gave: Reply | None = None


class Trace:
    """Notes in the order in which the plugins had the query. `depth`: of the question that is answered now, as Step
    has it."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.depth = 0

    def chain(self, plugins: Sequence[Plugin]) -> Handler:
        """As `plugin.chain`, with notes taken."""
        wrapping = [(plugin.name, plugin.wrap) for plugin in plugins if plugin.wrap is not None]
        handler: Handler = NoNextPlugin(wrapping[-1][0] if wrapping else "")
        for name, wrap in reversed(wrapping):
            handler = self._watched(name, wrap, handler)
        return handler

    def _watched(self, name: str, wrap: Callable[[Handler], Handler], following: Handler) -> Handler:
        running: list[Note] = []

        async def behind(query: Query) -> Reply | None:
            note = running[-1] if running else None
            if note is not None and note.passed is None:
                note.passed = query.question
            reply = await following(query)
            if note is not None:
                note.got = reply
            return reply

        inner = wrap(behind)

        async def handle(query: Query) -> Reply | None:
            note = Note(name, self.depth, query.question)
            if len(self.notes) < NOTES_MAX:
                self.notes.append(note)
            running.append(note)
            try:
                note.gave = await inner(query)
            finally:
                running.remove(note)
            return note.gave

        return handle
