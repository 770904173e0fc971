"""Which template takes a question, and what it knows of it then."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dnsserver.answering.query import Query
from dnsserver.languages.expr import EvaluationError, Value
from dnsserver.languages.patterns import Pattern
from dnsserver.plugins.query_expressions import functions_of
from dnsserver.plugins.template.settings import OneTemplate
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Type, class_name, type_name
from dnsserver.wire.question import Question


@dataclass(frozen=True, slots=True)
class Matched:
    """A template that takes a question. `match` has the parts of the name that the pattern's groups took, the whole
    match first; `variables` are those of `var`."""

    template: OneTemplate
    zone: str
    name: str
    rclass: str
    rtype: str
    pattern: str
    match: tuple[str, ...]
    groups: dict[str, str]
    variables: dict[str, Value] = field(default_factory=dict)


class Refused(Exception):
    """A template of the question's zone, class and type does not take it, and it may not fall through."""


def matched(templates: Iterable[OneTemplate], query: Query) -> Matched | None:
    """The first template that takes *query*; None when it is the next plugin's. Raises Refused."""
    question = query.question
    for template in templates:
        zone = _zone(template, question)
        if zone is None:
            continue
        found = _searched(template, question, names.to_text(zone))
        if found is not None and _agreed(found, query):
            return found
        if not _falls_through(template, query.name):
            raise Refused
    return None


def leaves_alone(templates: Iterable[OneTemplate], question: Question) -> bool:
    """Whether no template takes a question of class IN, nor keeps it from the next plugin."""
    name = names.to_text(question.name.lower())
    for template in templates:
        if _zone(template, question) is None:
            continue
        if any(pattern.is_found_in(name) for pattern in template.patterns):
            return False
        if not _falls_through(template, question.name.lower()):
            return False
    return True


def _zone(template: OneTemplate, question: Question) -> bytes | None:
    """The template's longest zone that has the name, if class and type are the template's too."""
    if Class.ANY not in (template.rclass, question.rclass) and template.rclass != question.rclass:
        return None
    if Type.ANY not in (template.rtype, question.rtype) and template.rtype != question.rtype:
        return None
    zones = [zone for zone in template.zones if names.is_below(question.name, zone)]
    return max(zones, key=len, default=None)


def _falls_through(template: OneTemplate, name: bytes) -> bool:
    return any(names.is_below(name, zone) for zone in template.fallthrough)


def _searched(template: OneTemplate, question: Question, zone: str) -> Matched | None:
    name = names.to_text(question.name.lower())
    for pattern in template.patterns:
        match = pattern.groups_in(name)
        if match is not None:
            return Matched(
                template=template,
                zone=zone,
                name=name,
                rclass=class_name(template.rclass if question.rclass == Class.ANY else question.rclass),
                rtype=_mnemonic(template.rtype if question.rtype == Type.ANY else question.rtype),
                pattern=pattern.text,
                match=match,
                groups=_groups(pattern, match),
            )
    return None


def _mnemonic(rtype: int) -> str:
    """As in CoreDNS, "" for a type without one: clients must not make ever more series of metrics."""
    name = type_name(rtype)
    return "" if name.startswith("TYPE") else name


def _groups(pattern: Pattern, match: tuple[str, ...]) -> dict[str, str]:
    """By number and by name."""
    found = {str(number): text for number, text in enumerate(match)}
    return found | {name: match[number] for name, number in pattern.group_names.items()}


def _agreed(found: Matched, query: Query) -> bool:
    """Whether all conditions are true; the variables are set on the way. Raises Refused for one that fails."""
    template = found.template
    if not template.variables and not template.conditions:
        return True
    known = functions_of(query)
    known["group"] = lambda key: found.groups.get(str(key), "")
    try:
        for name, expression in template.variables:
            known[name] = found.variables[name] = expression.run(known)
        return all(condition.run(known) is True for condition in template.conditions)
    except EvaluationError:
        raise Refused from None
