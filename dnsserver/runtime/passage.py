"""What a block's plugins answer to a question without seeing the query: replies that everyone may get who asks it.

A question comes past the plugins of the block in their order, as a query would. Whoever answers it by what it holds
ends the way; whoever wants to see the query itself leaves it to the chain.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Lasting, Plugin, Repeatable, Repeats
from dnsserver.wire.question import Question
from dnsserver.zone.objects import ObjectKey

_Alter = Callable[[Question, Reply], Reply]


@dataclass(frozen=True, slots=True)
class StateReply:
    """The reply that hangs on a cluster's state alone, and the Service whose change ends it (None: any change)."""

    by: Repeatable
    reply: Reply
    service: ObjectKey | None
    alters: tuple[_Alter, ...]
    """What the plugins in front make of a reply, the innermost first; done with this one."""

    def to(self, spelling: Question) -> Reply | None:
        """The reply to the same question in another spelling."""
        found = self.by.repeatable(spelling)
        return None if found is None else _altered(found[0], spelling, self.alters)


class Passage:
    """The plugins of one server block that wrap, in their order."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.states = tuple(plugin.repeatable for plugin in plugins if plugin.repeatable is not None)
        # Behind the last of a kind there is nothing to find.
        self._to_state = _up_to(plugins, lambda plugin: plugin.repeatable is not None)
        self._to_memory = _up_to(plugins, lambda plugin: plugin.remembers is not None)

    def __repr__(self) -> str:
        return (
            f"<Passage {' '.join(plugin.name for plugin in max(self._to_state, self._to_memory, key=len))}>"
        )

    @property
    def remembers(self) -> bool:
        """Whether a plugin may have lasting replies."""
        return bool(self._to_memory)

    def from_state(self, question: Question) -> StateReply | None:
        """What a cluster's state alone says to *question*; None where it has not the only say."""
        passed: list[Plugin] = []
        for plugin in self._to_state:
            if plugin.repeatable is not None:
                found = plugin.repeatable.repeatable(question)
                if found is not None:
                    reply = _let_out(found[0], question, passed)
                    if reply is None:
                        return None
                    alters = tuple(each.alters for each in reversed(passed) if each.alters is not None)
                    return StateReply(plugin.repeatable, reply, found[1], alters)
            if not _passes(plugin, question):
                return None
            passed.append(plugin)
        return None

    def lasting(self, question: Question, *, do: bool, cd: bool) -> Lasting | None:
        """What a plugin remembers for *question*, as `Remembers.lasting`."""
        passed: list[Plugin] = []
        for plugin in self._to_memory:
            if plugin.remembers is not None:
                found = plugin.remembers.lasting(question, do=do, cd=cd)
                if found is not None:
                    reply = _let_out(found.reply, question, passed)
                    return None if reply is None else replace(found, reply=reply)
                if not _leaves_alone(plugin, question):
                    return None  # it may remember what the chain answers now, and count that down
            if plugin.repeatable is not None and not _leaves_alone(plugin, question):
                return None
            if not _passes(plugin, question):
                return None
            passed.append(plugin)
        return None


def _up_to(plugins: Sequence[Plugin], wanted: Callable[[Plugin], bool]) -> tuple[Plugin, ...]:
    """*plugins* up to the last one that is *wanted*."""
    places = [place for place, plugin in enumerate(plugins) if wanted(plugin)]
    return tuple(plugins[: places[-1] + 1]) if places else ()


def _altered(reply: Reply, question: Question, alters: Iterable[_Alter]) -> Reply:
    return reduce(lambda altered, alter: alter(question, altered), alters, reply)


def _let_out(reply: Reply, question: Question, passed: Sequence[Plugin]) -> Reply | None:
    """What *reply* is once it has come out through the plugins that the question has *passed*; None where one of them
    wants to see its query."""
    for plugin in reversed(passed):
        if plugin.watches is not None and plugin.watches(question, reply):
            return None
        if plugin.alters is not None:
            reply = plugin.alters(question, reply)
    return reply


def _passes(plugin: Plugin, question: Question) -> bool:
    """Whether plugins behind this one may answer without it seeing the query."""
    return plugin.repeats is not Repeats.NEVER or _leaves_alone(plugin, question)


def _leaves_alone(plugin: Plugin, question: Question) -> bool:
    return plugin.leaves_alone is not None and plugin.leaves_alone(question)
