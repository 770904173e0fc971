"""The rules: what each makes of a query, and of the reply to it."""

from dataclasses import dataclass, replace
from typing import Protocol

from dnsserver.answering.query import Query, asked_as
from dnsserver.plugins.rewrite.answers import Answering, CnameTargets, Owners, Values
from dnsserver.plugins.rewrite.options import OptionChange
from dnsserver.plugins.rewrite.texts import BackFrom, Rewriter
from dnsserver.wire import names
from dnsserver.wire.question import Question


@dataclass(frozen=True, slots=True)
class Applied:
    """What goes on in place of a query, and what is to be done to the reply. Raises NameTextError, on the way here,
    for a name that is none."""

    query: Query
    answering: tuple[Answering, ...] = ()


class Change(Protocol):
    """What a rule does."""

    def may_apply(self, question: Question) -> bool:
        """Whether it can do anything to a query with *question*, or to the reply to it."""
        ...

    def applied(self, query: Query) -> Applied | None:
        """None when it does not apply."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """`stops`: rules behind it are not looked at once it has applied."""

    change: Change
    stops: bool

    def may_apply(self, question: Question) -> bool:
        return self.change.may_apply(question)


def _text(question: Question) -> str:
    return names.to_text(question.name.lower())


@dataclass(frozen=True, slots=True)
class Names:
    """Another name. `auto`: what stands in the reply at or below the new name is turned back."""

    rewriter: Rewriter
    auto: bool
    answering: tuple[Answering, ...] = ()

    def may_apply(self, question: Question) -> bool:
        return self.rewriter(_text(question)) is not None

    def applied(self, query: Query) -> Applied | None:
        old = _text(query.question)
        new = self.rewriter(old)
        if new is None:
            return None
        asked = asked_as(query, replace(query.question, name=names.from_text(new)), query.edns)
        back = BackFrom(names.to_text(asked.name), old)
        return Applied(asked, ((Owners(back), Values(back)) if self.auto else ()) + self.answering)


@dataclass(frozen=True, slots=True)
class Types:
    old: int
    new: int

    def may_apply(self, question: Question) -> bool:
        return question.rtype == self.old

    def applied(self, query: Query) -> Applied | None:
        if query.question.rtype != self.old:
            return None
        return Applied(asked_as(query, replace(query.question, rtype=self.new), query.edns))


@dataclass(frozen=True, slots=True)
class Classes:
    old: int
    new: int

    def may_apply(self, question: Question) -> bool:
        return question.rclass == self.old

    def applied(self, query: Query) -> Applied | None:
        if query.question.rclass != self.old:
            return None
        return Applied(asked_as(query, replace(query.question, rclass=self.new), query.edns))


@dataclass(frozen=True, slots=True)
class Replies:
    """The query as it is; something else in replies to names that `meant` knows."""

    meant: Rewriter
    answering: Answering

    def may_apply(self, question: Question) -> bool:
        return self.meant(_text(question)) is not None

    def applied(self, query: Query) -> Applied | None:
        return Applied(query, (self.answering,)) if self.may_apply(query.question) else None


@dataclass(frozen=True, slots=True)
class Cnames:
    """Every query may bring a CNAME back."""

    answering: CnameTargets

    def may_apply(self, question: Question) -> bool:  # noqa: ARG002 - a rule like the others
        return True

    def applied(self, query: Query) -> Applied | None:
        return Applied(query, (self.answering,))


@dataclass(frozen=True, slots=True)
class EdnsOptions:
    """Another option in the query."""

    change: OptionChange

    def may_apply(self, question: Question) -> bool:  # noqa: ARG002 - a rule like the others
        return True

    def applied(self, query: Query) -> Applied | None:
        found = self.change.applied(query)
        return None if found is None else Applied(asked_as(query, query.question, found[0]), found[1])
