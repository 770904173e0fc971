"""What `template` is told in the Corefile."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dnsserver.config import Directive, Occurrence, Property, Token
from dnsserver.languages.expr import BUILTINS, KEYWORDS, ExprError, Expression, Kind, Signature
from dnsserver.languages.expr import parse as parse_expression
from dnsserver.languages.gotemplate import Template, TemplateError
from dnsserver.languages.gotemplate import parse as parse_template
from dnsserver.languages.patterns import PATTERN_MAX, Pattern, PatternError
from dnsserver.plugins.query_expressions import FUNCTIONS
from dnsserver.plugins.template.data import DATA
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, class_number, rcode_number, type_number

SECTIONS = ("answer", "additional", "authority")
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
#: Functions of expressions here, besides those of every query.
_KNOWN: dict[str, Signature | Kind] = {**FUNCTIONS, "group": Signature((Kind.ANY,), Kind.STRING)}
_EVERYTHING = Pattern(".*")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTemplate:
    """One `template` of a block. Names are in wire form, lower case."""

    rclass: int
    rtype: int
    zones: tuple[bytes, ...]
    patterns: tuple[Pattern, ...] = ()
    """The first that is found in the name gives the groups."""
    variables: tuple[tuple[str, Expression], ...] = ()
    conditions: tuple[Expression, ...] = ()
    sections: dict[str, tuple[Template, ...]] = field(default_factory=dict)
    """By SECTIONS."""
    rcode: int = Rcode.NOERROR
    extended_error: tuple[int, str] | None = None
    """INFO-CODE and EXTRA-TEXT (RFC 8914)."""
    fallthrough: tuple[bytes, ...] = ()
    """Zones whose names go on when no pattern is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSettings:
    """The templates of a block, in the order of the file."""

    templates: tuple[OneTemplate, ...]

    @classmethod
    def from_directive(cls, directive: Directive, block_zones: tuple[str, ...]) -> "TemplateSettings":
        """Raises ConfigError."""
        return cls(templates=tuple(_template(each, block_zones) for each in directive.occurrences))


def _template(occurrence: Occurrence, block_zones: tuple[str, ...]) -> OneTemplate:
    class_, rtype, *zones = occurrence.at_least(2) if occurrence.arguments else occurrence.at_least(1)
    rclass = class_number(class_.text)
    if rclass is None:
        raise occurrence.error(f"invalid query class {class_.text}", class_)
    number = type_number(rtype.text)
    if number is None or rtype.text != rtype.text.upper() or rtype.text.startswith("TYPE"):
        raise occurrence.error(f"invalid RR class {rtype.text}", rtype)
    found = OneTemplate(rclass=rclass, rtype=number, zones=_wire(occurrence.zones(block_zones, tuple(zones))))
    for line in occurrence.properties:
        read = _OPTIONS.get(line.text)
        if read is None:
            raise line.argument_error(line.name)
        found = read(line, found)
    return found if found.patterns else replace(found, patterns=(_EVERYTHING,))


def _wire(zones: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(names.from_text(zone) for zone in zones)


def _match(line: Property, found: OneTemplate) -> OneTemplate:
    patterns = []
    for token in line.at_least(1):
        try:
            patterns.append(Pattern(token.text))
        except PatternError as error:
            if len(token.text) > PATTERN_MAX:
                raise line.error(str(error), token) from None
            raise line.error(f"could not parse regex: {token.text}, {error}", token) from None
    return replace(found, patterns=(*found.patterns, *patterns))


def _section(line: Property, found: OneTemplate) -> OneTemplate:
    templates = []
    for token in line.at_least(1):
        try:
            templates.append(parse_template(token.text, DATA, ("parseInt",)))
        except TemplateError as error:
            message = f"could not compile template: {token.text}, template: {line.text}: {error}"
            raise line.error(message, token) from None
    held = found.sections.get(line.text, ())
    return replace(found, sections={**found.sections, line.text: (*held, *templates)})


def _variable(line: Property, found: OneTemplate) -> OneTemplate:
    name, *words = line.at_least(2)
    if not _VARIABLE.fullmatch(name.text):
        raise line.error(f'invalid variable name "{name.text}"', name)
    known = _known(found)
    if name.text in known or name.text in BUILTINS or name.text in KEYWORDS:
        raise line.error(f'variable name "{name.text}" is reserved', name)
    expression = _expression(line, words, found, f"{name.text}, ")
    return replace(found, variables=(*found.variables, (name.text, expression)))


def _condition(line: Property, found: OneTemplate) -> OneTemplate:
    expression = _expression(line, list(line.at_least(1)), found, "")
    return replace(found, conditions=(*found.conditions, expression))


def _expression(line: Property, words: list[Token], found: OneTemplate, of: str) -> Expression:
    try:
        return parse_expression(" ".join(word.text for word in words), _known(found))
    except ExprError as error:
        raise line.error(f"could not compile expression: {of}{error}") from None


def _known(found: OneTemplate) -> dict[str, Signature | Kind]:
    return _KNOWN | {name: expression.kind for name, expression in found.variables}


def _rcode(line: Property, found: OneTemplate) -> OneTemplate:
    token = line.one()
    number = rcode_number(token.text)
    if number is None:
        raise line.error(f"unknown rcode {token.text}", token)
    return replace(found, rcode=number)


def _extended_error(line: Property, found: OneTemplate) -> OneTemplate:
    code, *text = line.between(1, 2)
    if not (code.text.isascii() and code.text.isdigit()):
        reason = f'strconv.ParseUint: parsing "{code.text}": invalid syntax'
    elif len(code.text) > 5 or int(code.text) > 0xFFFF:
        reason = f'strconv.ParseUint: parsing "{code.text}": value out of range'
    else:
        return replace(found, extended_error=(int(code.text), text[0].text if text else ""))
    raise line.error(f"error parsing extended DNS error code {line.arguments[-1].text}, {reason}", code)


def _fallthrough(line: Property, found: OneTemplate) -> OneTemplate:
    return replace(found, fallthrough=_wire(line.zones((".",))))


def _upstream(line: Property, found: OneTemplate) -> OneTemplate:  # noqa: ARG001 - means nothing any more
    return found


_OPTIONS: dict[str, Callable[[Property, OneTemplate], OneTemplate]] = {
    "match": _match,
    **dict.fromkeys(SECTIONS, _section),
    "var": _variable,
    "expr": _condition,
    "rcode": _rcode,
    "ederror": _extended_error,
    "fallthrough": _fallthrough,
    "upstream": _upstream,
}
