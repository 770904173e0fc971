"""Tokens to nodes [Go 1.25, text/template/parse/parse.go], with what Go checks only when a template runs."""

from collections.abc import Callable, Sequence

from dnsserver.languages.gotemplate.expressions import ExpressionParser
from dnsserver.languages.gotemplate.lexing import Kind, TemplateError, Token, tokens
from dnsserver.languages.gotemplate.nodes import If, Jump, Node, Output, Range, Set, Text
from dnsserver.languages.gotemplate.running import Template
from dnsserver.languages.gotemplate.shapes import ListOf, MapOf, Plain, Shape, Struct

__all__ = ["TemplateError", "parse"]

#: Actions inside each other: as many as the interpreter can surely follow.
DEPTH_MAX = 50
_Reader = Callable[[], Node]
_REFUSED = ("define", "template", "block")


def parse(text: str, data: Struct, functions: Sequence[str] = ()) -> Template:
    """The template that *text* is, for *data*. *functions* are built-in ones that Go's package has not, and that may
    be used. Raises TemplateError."""
    parser = _Parser(list(tokens(text)), data, frozenset(functions))
    nodes = parser.nodes(())
    return Template(text, nodes)


class _Parser:
    """Goes through the tokens once."""

    def __init__(self, found: list[Token], data: Struct, functions: frozenset[str]) -> None:
        self._values = ExpressionParser(found, data, functions)
        self._depth = 0
        self._loops = 0

    def nodes(self, enders: tuple[str, ...]) -> tuple[Node, ...]:
        """Up to one of *enders*, which is left to be read; up to the end without any."""
        found: list[Node] = []
        values = self._values
        while True:
            token = values.take()
            if token.kind is Kind.TEXT:
                found.append(Text(token.text))
            elif token.kind is Kind.END:
                if enders:
                    raise TemplateError("unexpected EOF: an {{end}} is missing")
                return tuple(found)
            else:
                values.back()
                word = token.text if token.kind is Kind.WORD else ""
                if word in enders:
                    return tuple(found)
                found.append(self._action(word))

    def _action(self, word: str) -> Node:
        match word:
            case "if" | "with":
                self._values.take()
                return self._nested(lambda: self._branch(moves_dot=word == "with"))
            case "range":
                self._values.take()
                return self._nested(self._range)
            case "break" | "continue":
                self._values.take()
                if not self._loops:
                    raise TemplateError(f"{{{{{word}}}}} outside {{{{range}}}}")
                self._values.close()
                return Jump(word == "break")
            case "end" | "else":
                raise TemplateError(f"unexpected {{{{{word}}}}}")
            case _ if word in _REFUSED:
                raise TemplateError(f"{{{{{word}}}}} is not supported: a record's template is one text")
            case _:
                return self._plain()

    def _nested(self, read: _Reader) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise TemplateError(f"more than {DEPTH_MAX} actions inside each other")
        with self._values.scope():
            node = read()
        self._depth -= 1
        return node

    def _plain(self) -> Node:
        values = self._values
        variables, declares = values.declaration()
        value, shape = values.pipeline()
        values.close()
        if len(variables) > 1:
            raise TemplateError("too many declarations in a command")
        if variables:
            values.settle(variables[0], shape, declares=declares)
            return Set(variables[0], value, declares)
        if isinstance(shape, Struct):
            raise TemplateError(f"{shape.name} is no text: name one of {', '.join(shape.fields)}")
        return Output(value)

    def _branch(self, *, moves_dot: bool) -> If:
        values = self._values
        variables, declares = values.declaration()
        if len(variables) > 1 or (variables and not declares):
            raise TemplateError("only one new variable can be set in {{if}} and {{with}}")
        value, shape = values.pipeline()
        values.close()
        if variables:
            values.settle(variables[0], shape, declares=True)
        with values.scope(shape if moves_dot else None):
            then = self.nodes(("else", "end"))
        otherwise: tuple[Node, ...] = ()
        if values.take().text == "else":
            word = "with" if moves_dot else "if"
            if values.peek().text == word and values.peek().kind is Kind.WORD:
                values.take()
                otherwise = (self._nested(lambda: self._branch(moves_dot=moves_dot)),)
                return If(value, then, otherwise, variables[0] if variables else "", moves_dot)
            values.close()
            with values.scope():
                otherwise = self.nodes(("end",))
            values.take()
        values.close()
        return If(value, then, otherwise, variables[0] if variables else "", moves_dot)

    def _range(self) -> Range:
        values = self._values
        variables, declares = values.declaration()
        if len(variables) > 2 or (variables and not declares):
            raise TemplateError("{{range}} can set one or two new variables")
        value, shape = values.pipeline()
        values.close()
        item = _item(shape)
        key_name, item_name = ["", "", *variables][-2:]
        self._loops += 1
        with values.scope(item):
            for name, of in ((key_name, Plain.SCALAR), (item_name, item)):
                if name:
                    values.settle(name, of, declares=True)
            body = self.nodes(("else", "end"))
        self._loops -= 1
        otherwise: tuple[Node, ...] = ()
        if values.take().text == "else":
            values.close()
            with values.scope():
                otherwise = self.nodes(("end",))
            values.take()
        values.close()
        return Range(value, body, otherwise, key_name, item_name)


def _item(shape: Shape) -> Shape:
    match shape:
        case ListOf(item) | MapOf(item):
            return item
        case Struct(name=name):
            raise TemplateError(f"range can't iterate over {name}")
        case _:
            return Plain.UNKNOWN
