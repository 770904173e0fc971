"""Nodes and data to text [Go 1.25, text/template/exec.go], with an end to the work that data can cause."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from dnsserver.languages.gotemplate.functions import FUNCTIONS, ExecutionError, is_true
from dnsserver.languages.gotemplate.nodes import (
    Call,
    Dot,
    Expression,
    Field,
    If,
    Jump,
    Literal,
    MethodCall,
    Node,
    Output,
    Range,
    Set,
    Text,
    Variable,
)
from dnsserver.languages.gotemplate.printing import Value, shown

#: Nodes run for one text: some milliseconds, and far more than a record needs.
STEPS_MAX = 10_000
#: Characters of any text on the way: what a message can hold (RFC 1035 section 4.2.2).
TEXT_MAX = 65_535

#: Stands for the value of a map's key that there is not, where Go has no value at all.
MISSING = None


@dataclass(frozen=True, slots=True)
class Template:
    """`text` is what it was made of."""

    text: str
    nodes: tuple[Node, ...]

    def run(self, data: Mapping[str, Value]) -> str:
        """The text for *data*. Raises ExecutionError."""
        run = _Run(data)
        run.walk(self.nodes, data)
        return "".join(run.written)


class _Jumped(Exception):
    def __init__(self, *, leaves: bool) -> None:
        self.leaves = leaves


class _Run:
    """One way through a template."""

    def __init__(self, data: Mapping[str, Value]) -> None:
        self.written: list[str] = []
        self._size = 0
        self._steps = 0
        self._variables: list[tuple[str, Value]] = [("$", data)]

    def walk(self, nodes: tuple[Node, ...], dot: Value) -> None:
        """Variables that are declared on the way end with it."""
        before = len(self._variables)
        try:
            for node in nodes:
                self._step()
                self._node(node, dot)
        finally:
            del self._variables[before:]

    def _step(self) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise ExecutionError(f"takes more than {STEPS_MAX} steps")

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > TEXT_MAX:
            raise ExecutionError(f"more than {TEXT_MAX} characters")
        self.written.append(text)

    def _node(self, node: Node, dot: Value) -> None:
        match node:
            case Text(text):
                self._write(text)
            case Output(value):
                found = self._value(value, dot)
                self._write("<no value>" if found is MISSING else shown(found))
            case Set(name, value, declares):
                self._set(name, self._value(value, dot), declares=declares)
            case If():
                self._if(node, dot)
            case Range():
                self._range(node, dot)
            case Jump(leaves):
                raise _Jumped(leaves=leaves)
            case _:
                assert_never(node)

    def _set(self, name: str, value: Value, *, declares: bool) -> None:
        if not declares:
            for place in range(len(self._variables) - 1, -1, -1):
                if self._variables[place][0] == name:
                    self._variables[place] = (name, value)
                    return
        self._variables.append((name, value))

    def _if(self, node: If, dot: Value) -> None:
        value = self._value(node.value, dot)
        before = len(self._variables)
        if node.variable:
            self._variables.append((node.variable, value))
        if is_true(value):
            self.walk(node.then, value if node.moves_dot else dot)
        else:
            self.walk(node.otherwise, dot)
        del self._variables[before:]

    def _range(self, node: Range, dot: Value) -> None:
        before = len(self._variables)
        empty = True
        for key, item in _items(self._value(node.value, dot)):
            empty = False
            self._step()
            for name, value in ((node.key, key), (node.item, item)):
                if name:
                    self._variables.append((name, value))
            try:
                self.walk(node.body, item)
            except _Jumped as jump:
                if jump.leaves:
                    break
            finally:
                del self._variables[before:]
        if empty:
            self.walk(node.otherwise, dot)

    def _value(self, expression: Expression, dot: Value) -> Value:
        self._step()
        match expression:
            case Literal(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                return next(value for held, value in reversed(self._variables) if held == name)
            case Field(base, name):
                return _field(self._value(base, dot), name)
            case MethodCall(base, name, arguments):
                return self._method(_field(self._value(base, dot), name), name, arguments, dot)
            case Call(name, arguments):
                return self._call(name, arguments, dot)
            case _:
                assert_never(expression)

    def _method(self, method: Value, name: str, arguments: tuple[Expression, ...], dot: Value) -> Value:
        values = [self._value(argument, dot) for argument in arguments]
        if not callable(method) or not all(isinstance(value, str) for value in values):
            raise ExecutionError(f"{name} needs a string")
        call: Callable[..., Value] = method
        return _bounded(call(*values))

    def _call(self, name: str, arguments: tuple[Expression, ...], dot: Value) -> Value:
        if name in ("and", "or"):
            value: Value = None
            for argument in arguments:
                value = self._value(argument, dot)
                if is_true(value) is (name == "or"):
                    break
            return value
        return _bounded(FUNCTIONS[name].run([self._value(argument, dot) for argument in arguments]))


def _bounded(value: Value) -> Value:
    if isinstance(value, str) and len(value) > TEXT_MAX:
        raise ExecutionError(f"a string of more than {TEXT_MAX} characters")
    return value


def _field(value: Value, name: str) -> Value:
    if not isinstance(value, Mapping):
        raise ExecutionError(f"can't evaluate field {name}")
    return value.get(name, MISSING)


def _items(value: Value) -> Iterator[tuple[Value, Value]]:
    match value:
        case Mapping():
            return iter([(key, value[key]) for key in sorted(value)])
        case list() | tuple():
            items: Sequence[Value] = value
            return iter(enumerate(items))
        case int() if not isinstance(value, bool):
            return ((number, number) for number in range(value))
        case None:
            return iter(())
        case _:
            raise ExecutionError(f"range can't iterate over {shown(value)}")
