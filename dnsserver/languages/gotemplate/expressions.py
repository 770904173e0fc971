"""What stands inside an action: pipelines, commands and operands, with the shape of their values."""

import contextlib
from collections.abc import Iterator

from dnsserver.languages.gotemplate.functions import FUNCTIONS, REFUSED
from dnsserver.languages.gotemplate.lexing import Kind, TemplateError, Token
from dnsserver.languages.gotemplate.nodes import (
    Call,
    Dot,
    Expression,
    Field,
    Literal,
    MethodCall,
    Variable,
)
from dnsserver.languages.gotemplate.shapes import ListOf, MapOf, Plain, Shape, Struct
from dnsserver.languages.literals import number, unquoted

#: Parentheses inside each other: as many as the interpreter can surely follow.
PARENTHESES_MAX = 50
#: Commands behind each other in a pipeline, which are calls inside each other.
COMMANDS_MAX = 50
#: A value, what is known of it, and the method that it names if it is not called yet.
_Operand = tuple[Expression, Shape, int | None]


class ExpressionParser:
    """Reads from *found*, one token after another, and knows the variables and the dot of the place."""

    def __init__(self, found: list[Token], data: Struct, functions: frozenset[str]) -> None:
        self._tokens = found
        self._place = 0
        self._scopes: list[dict[str, Shape]] = [{"$": data}]
        self._dots: list[Shape] = [data]
        self._functions = functions
        self._parentheses = 0

    # Tokens.

    def take(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def back(self) -> None:
        self._place -= 1

    def peek(self) -> Token:
        return self._tokens[self._place]

    def close(self) -> None:
        """The end of the action."""
        token = self.take()
        if token.kind is not Kind.CLOSE:
            raise TemplateError(f"unexpected {token.text!r} in an action")

    # Scopes.

    @contextlib.contextmanager
    def scope(self, dot: Shape | None = None) -> Iterator[None]:
        """Variables that are declared inside end with it; *dot* is the dot, if it is another."""
        self._scopes.append({})
        self._dots.append(self._dots[-1] if dot is None else dot)
        yield
        self._scopes.pop()
        self._dots.pop()

    def settle(self, name: str, shape: Shape, *, declares: bool) -> None:
        """Note what a variable has. One that exists keeps to structures of the same kind."""
        if declares:
            self._scopes[-1][name] = shape
            return
        held = self._variable(name)
        if held != shape and not (isinstance(held, Plain) and isinstance(shape, Plain)):
            raise TemplateError(f"{name} gets another kind of value than it has")

    def _variable(self, name: str) -> Shape:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        raise TemplateError(f'undefined variable "{name}"')

    # Values.

    def declaration(self) -> tuple[list[str], bool]:
        """The variables in front of `:=` or `=`, if it is there, and whether they are new."""
        start = self._place
        found: list[str] = []
        while self.peek().kind is Kind.VARIABLE:
            found.append(self.take().text)
            mark = self.take()
            if mark.text in (":=", "=") and mark.kind is Kind.MARK:
                if "$" in found:
                    raise TemplateError("$ cannot be set")
                if mark.text == "=":
                    for name in found:
                        self._variable(name)
                return found, mark.text == ":="
            if mark.text != "," or mark.kind is not Kind.MARK:
                break
        self._place = start
        return [], False

    def pipeline(self) -> tuple[Expression, Shape]:
        value, shape = self._command(())
        commands = 1
        while self.peek().text == "|" and self.peek().kind is Kind.MARK:
            self.take()
            commands += 1
            if commands > COMMANDS_MAX:
                raise TemplateError(f"more than {COMMANDS_MAX} commands in a pipeline")
            value, shape = self._command((value,))
        return value, shape

    def _command(self, last: tuple[Expression, ...]) -> tuple[Expression, Shape]:
        """A function or method with its arguments, *last* behind them; or one operand."""
        token = self.take()
        if token.kind is Kind.WORD and token.text not in ("true", "false", "nil"):
            return self._call(token.text, (*self._arguments(), *last))
        self.back()
        value, shape, method = self._operand()
        arguments = (*self._arguments(), *last)
        if method is not None:
            return self._method(value, method, arguments)
        if arguments:
            raise TemplateError(f"can't give argument to non-function {token.text}")
        if isinstance(value, Literal) and value.value is None:
            raise TemplateError("nil is not a command")
        return value, shape

    def _arguments(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while True:
            token = self.peek()
            if token.kind in (Kind.CLOSE, Kind.END) or (token.kind is Kind.MARK and token.text in "|)"):
                return tuple(found)
            value, _, method = self._operand()
            if method is not None:
                value, _ = self._method(value, method, ())
            found.append(value)

    def _operand(self) -> _Operand:
        token = self.take()
        found = self._term(token)
        while self.peek().kind is Kind.FIELD and not self.peek().spaced:
            if found[2] is not None:
                raise TemplateError(f"{self.peek().text} behind a method that needs arguments")
            if isinstance(found[0], Literal):
                raise TemplateError(f"{token.text} has no field {self.peek().text}")
            found = self._field(found[0], found[1], self.take().text[1:])
        return found

    def _term(self, token: Token) -> _Operand:
        match token.kind:
            case Kind.DOT:
                return Dot(), self._dots[-1], None
            case Kind.FIELD:
                return self._field(Dot(), self._dots[-1], token.text[1:])
            case Kind.VARIABLE:
                return Variable(token.text), self._variable(token.text), None
            case Kind.WORD if token.text not in ("true", "false", "nil"):
                return *self._call(token.text, ()), None
            case Kind.MARK if token.text == "(":
                return *self._parenthesized(), None
            case Kind.MARK | Kind.CLOSE | Kind.END | Kind.TEXT:
                shown = token.text or "end of the template"
                raise TemplateError(f"missing value in an action, before {shown!r}")
            case _:
                return _literal(token), Plain.SCALAR, None

    def _parenthesized(self) -> tuple[Expression, Shape]:
        self._parentheses += 1
        if self._parentheses > PARENTHESES_MAX:
            raise TemplateError(f"more than {PARENTHESES_MAX} parentheses inside each other")
        value, shape = self.pipeline()
        if self.take().text != ")":
            raise TemplateError("unclosed left paren")
        self._parentheses -= 1
        return value, shape

    def _field(self, base: Expression, shape: Shape, name: str) -> _Operand:
        match shape:
            case Struct(methods=methods) if name in methods:
                return Field(base, name), Plain.SCALAR, methods[name]
            case Struct(fields=fields) if name in fields:
                return Field(base, name), fields[name], None
            case MapOf(item):
                return Field(base, name), item, None
            case Struct(name=owner, fields=fields):
                raise TemplateError(f"can't evaluate field {name} in {owner}: it has {', '.join(fields)}")
            case Plain.UNKNOWN:
                return Field(base, name), Plain.UNKNOWN, None
            case ListOf():
                raise TemplateError(f"can't evaluate field {name} in a list")
            case _:
                raise TemplateError(f"can't evaluate field {name} in {shape.value}")

    def _method(
        self, value: Expression, wanted: int, arguments: tuple[Expression, ...]
    ) -> tuple[Expression, Shape]:
        assert isinstance(value, Field)
        if len(arguments) != wanted:
            raise TemplateError(f"wrong number of args for {value.name}: want {wanted} got {len(arguments)}")
        return MethodCall(value.base, value.name, arguments), Plain.SCALAR

    def _call(self, name: str, arguments: tuple[Expression, ...]) -> tuple[Expression, Shape]:
        if name in REFUSED:
            raise TemplateError(f'function "{name}" is not supported: {REFUSED[name]}')
        function = FUNCTIONS.get(name)
        if function is None or (function.extra and name not in self._functions):
            raise TemplateError(f'function "{name}" not defined')
        low, high = function.arguments
        if len(arguments) < low or (high is not None and len(arguments) > high):
            wanted = str(low) if high == low else f"at least {low}" if high is None else f"{low} to {high}"
            raise TemplateError(f"wrong number of args for {name}: want {wanted} got {len(arguments)}")
        return Call(name, arguments), Plain.SCALAR if function.scalar else Plain.UNKNOWN


def _literal(token: Token) -> Literal:
    words = {"true": True, "false": False, "nil": None}
    if token.kind is Kind.WORD:
        return Literal(words[token.text])
    try:
        if token.kind is Kind.NUMBER:
            return Literal(number(token.text))
        text = unquoted(token.text)
    except ValueError as error:
        raise TemplateError(str(error)) from None
    if token.kind is Kind.STRING:
        return Literal(text)
    if len(text) != 1:
        raise TemplateError(f"malformed character constant: {token.text}")
    return Literal(ord(text))
