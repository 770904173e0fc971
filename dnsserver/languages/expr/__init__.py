"""A part of the expression language expr-lang [github.com/expr-lang/expr 1.17, docs/language-definition.md]: what
decides about a query.

Without maps, `let`, `??`, `?.`, ranges `..`, pipes, powers, slices and most built-in functions, which are refused when
the expression is read, as are names that there are none of and kinds of values that do not go together.
"""

from dnsserver.languages.expr.builtins import BUILTINS
from dnsserver.languages.expr.kinds import EvaluationError, ExprError, Kind, Signature, Value
from dnsserver.languages.expr.lexing import KEYWORDS
from dnsserver.languages.expr.parsing import Expression, parse

__all__ = [
    "BUILTINS",
    "KEYWORDS",
    "EvaluationError",
    "ExprError",
    "Expression",
    "Kind",
    "Signature",
    "Value",
    "parse",
]
