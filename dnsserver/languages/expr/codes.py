"""What the parts of an expression do, as functions of one evaluation."""

from collections.abc import Callable, Sequence

from dnsserver.languages.expr.kinds import (
    Code,
    EvaluationError,
    Run,
    Value,
    a_list,
    a_number,
    a_string,
    a_truth,
    short,
)
from dnsserver.languages.expr.operators import Operator
from dnsserver.languages.patterns import Pattern


def constant(value: Value) -> Code:
    return lambda _: value


def named(name: str) -> Code:
    return lambda run: run.names[name]


def listed(items: Sequence[Code]) -> Code:
    return lambda run: [item(run) for item in items]


def hash_item(run: Run) -> Value:
    """The item that the innermost predicate looks at."""
    return run.items[-1]


def choice(condition: Code, then: Code, otherwise: Code) -> Code:
    return lambda run: then(run) if a_truth(condition(run)) else otherwise(run)


def conjunction(left: Code, right: Code) -> Code:
    return lambda run: a_truth(left(run)) and a_truth(right(run))


def disjunction(left: Code, right: Code) -> Code:
    return lambda run: a_truth(left(run)) or a_truth(right(run))


def negation(value: Code) -> Code:
    return lambda run: not a_truth(value(run))


def signed(value: Code, sign: int) -> Code:
    return lambda run: sign * a_number(value(run))


def binary(operator: Operator, left: Code, right: Code) -> Code:
    return lambda run: operator(left(run), right(run))


def match(text: Code, pattern: Pattern) -> Code:
    return lambda run: pattern.is_found_in(a_string(text(run)))


def item(values: Code, place: Code) -> Code:
    """Negative places count from the end."""

    def run_item(run: Run) -> Value:
        found, at = a_list(values(run)), place(run)
        if type(at) is not int or not -len(found) <= at < len(found):
            raise EvaluationError(f"index out of range: {at}")
        return found[at]

    return run_item


def call(function: Callable[[Sequence[Value]], Value], arguments: Sequence[Code]) -> Code:
    return lambda run: function([argument(run) for argument in arguments])


def call_known(name: str, arguments: Sequence[Code]) -> Code:
    """Of a function that the evaluation brings along."""

    def run_call(run: Run) -> Value:
        function = run.names[name]
        if not callable(function):
            raise EvaluationError(f"{name} is no function")
        value: Value = function(*(argument(run) for argument in arguments))
        if isinstance(value, str):
            short(len(value))
        return value

    return run_call


def predicate(outcome: Callable[[int, int], bool | int], values: Code, test: Code) -> Code:
    def run_predicate(run: Run) -> Value:
        found = a_list(values(run))
        hits = 0
        for each in found:
            run.step()
            run.items.append(each)
            hits += a_truth(test(run))
            run.items.pop()
        return outcome(hits, len(found))

    return run_predicate
