"""What `view` is told in the Corefile."""

from dataclasses import dataclass

from dnsserver.config import Directive
from dnsserver.languages.expr import ExprError, Expression, parse
from dnsserver.plugins.query_expressions import FUNCTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSettings:
    """`name` is for metrics and metadata."""

    name: str
    conditions: tuple[Expression, ...] = ()

    @classmethod
    def from_directive(cls, directive: Directive) -> "ViewSettings":
        """Raises ConfigError."""
        occurrence = directive.once()
        name = occurrence.one().text
        conditions = []
        for line in occurrence.properties:
            if line.text != "expr":
                raise line.unknown()
            try:
                conditions.append(parse(" ".join(line.texts), FUNCTIONS))
            except ExprError as error:
                raise line.bare_error(str(error)) from None
        return cls(name=name, conditions=tuple(conditions))
