"""Tokens to code that is ready to run, with all checks that can be made before."""

from collections.abc import Mapping
from dataclasses import dataclass

from dnsserver.languages.expr import codes
from dnsserver.languages.expr.builtins import BUILTINS, PREDICATES
from dnsserver.languages.expr.kinds import NUMBERS, Code, ExprError, Kind, Names, Run, Signature, Value
from dnsserver.languages.expr.lexing import KEYWORDS, Token, tokens
from dnsserver.languages.expr.operators import NEGATABLE, OPERATORS, PRECEDENCE, result
from dnsserver.languages.literals import number, unquoted
from dnsserver.languages.patterns import Pattern, PatternError

#: Operators and parentheses inside each other: as many as the interpreter can surely follow.
DEPTH_MAX = 50
#: Operators that bind tighter than these do not end what stands behind `not`, and behind a sign.
_BEHIND_NOT, _BEHIND_SIGN = 50, 90
_UNSUPPORTED = {
    "{": "maps are",
    "??": "'??' is",
    "?.": "'?.' is",
    "..": "'..' is",
    "**": "powers are",
    "^": "powers are",
    "|": "pipes are",
    ";": "';' is",
    "let": "'let' is",
    "if": "'if' is",
    ".": "members with '.' are",
}
_CONSTANTS: Mapping[str, tuple[Value, Kind]] = {
    "true": (True, Kind.TRUTH),
    "false": (False, Kind.TRUTH),
    "nil": (None, Kind.NIL),
}
#: What an expression may name: functions, and the kinds of variables.
Known = Mapping[str, Signature | Kind]


@dataclass(frozen=True, slots=True)
class Expression:
    """`kind` is what is known of its value."""

    text: str
    kind: Kind
    code: Code

    def run(self, names: Names) -> Value:
        """Its value, where *names* has every function and variable that it was read with. Raises EvaluationError."""
        return self.code(Run(names))


def parse(text: str, known: Known) -> Expression:
    """Raises ExprError, with the column in parentheses."""
    parser = _Parser(list(tokens(text)), known)
    code, kind = parser.whole()
    return Expression(text, kind, code)


_Typed = tuple[Code, Kind]


class _Parser:
    """Goes through the tokens once."""

    def __init__(self, found: list[Token], known: Known) -> None:
        self._tokens = found
        self._place = 0
        self._known = known
        self._predicates = 0
        self._depth = 0

    def whole(self) -> _Typed:
        found = self._ternary()
        token = self._take()
        if token.kind != "end":
            self._refuse(token)
            raise token.error(f"unexpected token {token.text!r}")
        return found

    def _take(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _next_is(self, *texts: str) -> bool:
        token = self._peek()
        return token.kind in ("mark", "name") and token.text in texts

    def _expect(self, text: str) -> None:
        token = self._take()
        if token.kind != "mark" or token.text != text:
            self._refuse(token)
            raise token.error(f"unexpected token {token.text or 'EOF'!r}, expected {text!r}")

    def _refuse(self, token: Token) -> None:
        """Say so where the language has something that we have not."""
        if token.kind in ("mark", "name") and token.text in _UNSUPPORTED:
            raise token.error(f"{_UNSUPPORTED[token.text]} not supported in expressions")

    # From loose to tight.

    def _ternary(self) -> _Typed:
        token = self._peek()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise token.error(f"more than {DEPTH_MAX} expressions inside each other")
        found = self._binary(0)
        if self._next_is("?"):
            token = self._take()
            if not found[1].fits(Kind.TRUTH):
                raise token.error(f"non-bool expression (type {found[1].value}) used as condition")
            then = self._ternary()
            self._expect(":")
            otherwise = self._ternary()
            kind = then[1] if then[1] is otherwise[1] else Kind.ANY
            found = codes.choice(found[0], then[0], otherwise[0]), kind
        self._depth -= 1
        return found

    def _binary(self, least: int) -> _Typed:
        left = self._unary()
        while True:
            token = self._peek()
            negated = self._next_is("not") and self._tokens[self._place + 1].text in NEGATABLE
            name = self._tokens[self._place + 1].text if negated else token.text
            precedence = PRECEDENCE.get(name, -1) if token.kind in ("mark", "name") else -1
            if precedence < least:
                return left
            self._place += 2 if negated else 1
            left = self._joined(token, name, left, precedence)
            if negated:
                left = codes.negation(left[0]), Kind.TRUTH

    def _joined(self, token: Token, name: str, left: _Typed, precedence: int) -> _Typed:
        if name == "matches":
            return self._match(left)
        right = self._binary(precedence + 1)
        try:
            kind = result(name, left[1], right[1])
        except ExprError as error:
            raise token.error(str(error)) from None
        if name in ("and", "&&"):
            return codes.conjunction(left[0], right[0]), kind
        if name in ("or", "||"):
            return codes.disjunction(left[0], right[0]), kind
        return codes.binary(OPERATORS[name], left[0], right[0]), kind

    def _match(self, left: _Typed) -> _Typed:
        """The pattern is compiled here, and must be known."""
        token = self._take()
        if token.kind != "string":
            raise token.error("the pattern of 'matches' must be a string literal")
        if not left[1].fits(Kind.STRING):
            raise token.error(f"invalid operation: matches (mismatched types {left[1].value} and string)")
        try:
            pattern = Pattern(_string(token))
        except PatternError as error:
            raise token.error(str(error)) from None
        return codes.match(left[0], pattern), Kind.TRUTH

    def _unary(self) -> _Typed:
        token = self._peek()
        if not self._next_is("not", "!", "-", "+"):
            return self._indexed()
        self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise token.error(f"more than {DEPTH_MAX} expressions inside each other")
        signs = token.text in "+-"
        value, kind = self._binary(_BEHIND_SIGN if signs else _BEHIND_NOT)
        self._depth -= 1
        if not kind.fits(*(NUMBERS if signs else (Kind.TRUTH,))):
            raise token.error(f"invalid operation: {token.text} (mismatched type {kind.value})")
        if signs:
            return codes.signed(value, -1 if token.text == "-" else 1), kind
        return codes.negation(value), Kind.TRUTH

    def _indexed(self) -> _Typed:
        value, kind = self._primary()
        while self._next_is("["):
            token = self._take()
            if not kind.fits(Kind.LIST):
                raise token.error(f"type {kind.value} is not indexable")
            place, of = self._ternary()
            if self._next_is(":"):
                raise token.error("slices are not supported in expressions")
            if not of.fits(Kind.INTEGER):
                raise token.error(f"invalid index of type {of.value}")
            self._expect("]")
            value, kind = codes.item(value, place), Kind.ANY
        return value, kind

    def _primary(self) -> _Typed:
        token = self._take()
        match token.kind, token.text:
            case "string", _:
                return codes.constant(_string(token)), Kind.STRING
            case "number", _:
                return self._number(token)
            case "mark", "(":
                found = self._ternary()
                self._expect(")")
                return found
            case "mark", "[":
                items = [value for value, _ in self._listed("]")]
                return codes.listed(items), Kind.LIST
            case "mark", "#":
                if not self._predicates:
                    raise token.error("'#' outside the predicate of any, all, none, one or count")
                return codes.hash_item, Kind.ANY
            case "name", text if text in _CONSTANTS:
                value, kind = _CONSTANTS[text]
                return codes.constant(value), kind
            case "name", text if text not in KEYWORDS:
                return self._call(token) if self._next_is("(") else self._variable(token)
            case _:
                self._refuse(token)
                raise token.error(f"unexpected token {token.text or 'EOF'!r}")

    def _number(self, token: Token) -> _Typed:
        try:
            value = number(token.text)
        except ValueError as error:
            raise token.error(f"bad number syntax: {error}") from None
        return codes.constant(value), Kind.INTEGER if isinstance(value, int) else Kind.FLOAT

    def _variable(self, token: Token) -> _Typed:
        kind = self._known.get(token.text)
        if kind is None and (token.text in BUILTINS or token.text in PREDICATES):
            raise token.error(f"{token.text} is a function: it needs parentheses")
        if kind is None:
            raise token.error(f"unknown name {token.text}")
        if isinstance(kind, Signature):
            raise token.error(f"{token.text} is a function: it needs parentheses")
        return codes.named(token.text), kind

    def _listed(self, end: str) -> list[_Typed]:
        """Expressions with commas between them, up to *end*."""
        found: list[_Typed] = []
        while not self._next_is(end):
            found.append(self._ternary())
            if not self._next_is(end):
                self._expect(",")
        self._take()
        return found

    def _call(self, token: Token) -> _Typed:
        self._expect("(")
        name = token.text
        if name in PREDICATES:
            return self._predicate(name)
        arguments = self._listed(")")
        wanted: tuple[tuple[Kind, ...], ...]
        known = self._known.get(name)
        if isinstance(known, Signature):
            wanted, optional, kind = tuple((each,) for each in known.arguments), 0, known.result
        elif name in BUILTINS:
            builtin = BUILTINS[name]
            wanted, optional, kind = builtin.arguments, builtin.optional, builtin.result
        else:
            raise token.error(f"{name} is not callable" if known else f"unknown name {name}")
        if not len(wanted) - optional <= len(arguments) <= len(wanted):
            few = "not enough" if len(arguments) < len(wanted) else "too many"
            raise token.error(f"{few} arguments to call {name}")
        for (_, found), kinds in zip(arguments, wanted, strict=False):
            if not found.fits(*kinds):
                needed = kinds[0].value
                raise token.error(f"cannot use {found.value} as argument (type {needed}) to call {name}")
        values = [value for value, _ in arguments]
        if isinstance(known, Signature):
            return codes.call_known(name, values), kind
        return codes.call(BUILTINS[name].run, values), kind

    def _predicate(self, name: str) -> _Typed:
        """`any(LIST, PREDICATE)`, where `#` is the item at hand; braces may stand around the predicate."""
        token = self._peek()
        values, kind = self._ternary()
        if not kind.fits(Kind.LIST):
            raise token.error(f"builtin {name} takes only array (got {kind.value})")
        self._expect(",")
        braced = self._next_is("{")
        if braced:
            self._take()
        token = self._peek()
        self._predicates += 1
        test, of = self._ternary()
        self._predicates -= 1
        if braced:
            self._expect("}")
        if not of.fits(Kind.TRUTH):
            raise token.error(f"predicate should return boolean (got {of.value})")
        self._expect(")")
        code = codes.predicate(PREDICATES[name], values, test)
        return code, Kind.INTEGER if name == "count" else Kind.TRUTH


def _string(token: Token) -> str:
    try:
        return unquoted(token.text)
    except ValueError as error:
        raise token.error(str(error)) from None
