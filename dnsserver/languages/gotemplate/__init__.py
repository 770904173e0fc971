"""A part of Go's text/template [Go 1.25, package text/template]: what fits into a record of DNS.

Without `define`, `template`, `block`, `call` and `js`, which are refused when the template is read, as are fields,
functions and variables that there are none of: Go finds those only when the template is run.
"""

from dnsserver.languages.gotemplate.functions import ExecutionError
from dnsserver.languages.gotemplate.parsing import TemplateError, parse
from dnsserver.languages.gotemplate.running import Template
from dnsserver.languages.gotemplate.shapes import ListOf, MapOf, Plain, Shape, Struct

__all__ = [
    "ExecutionError",
    "ListOf",
    "MapOf",
    "Plain",
    "Shape",
    "Struct",
    "Template",
    "TemplateError",
    "parse",
]
