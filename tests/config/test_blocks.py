"""Sections 1.3 and 1.9 of coredns-compat.md: server blocks, sub-blocks and the parser's messages."""

from __future__ import annotations

import pytest

from tests.config.helpers import outcome, parsed

P = "Corefile:{} - Error during parsing: {}"
WRONG = "Wrong argument count or unexpected line ending after '{}'"
BRACE = "Unexpected token '{', expecting argument"
ROOT = "dns://.:53 "

ACCEPTED = (
    (". {\nwhoami\n}", ROOT + "{whoami}"),
    (".\n{\nwhoami\n}", ROOT + "{whoami}"),
    (".\nwhoami\nlog", ROOT + "{whoami; log}"),
    (". {\n}", ROOT + "{}"),
    (". { }", ROOT + "{}"),
    (".", ROOT + "{}"),
    (". { log\nwhoami\n}", ROOT + "{log; whoami}"),
    ("a b {\n}", "dns://a.:53 dns://b.:53 {}"),
    ("a, b,\nc {\n}", "dns://a.:53 dns://b.:53 dns://c.:53 {}"),
    ("a {\n}\nb {\n}", "dns://a.:53 {} | dns://b.:53 {}"),
    ("a {\n} b {\n}", "dns://a.:53 {} | dns://b.:53 {}"),
    (". {\ncache 30 a b\n}", ROOT + "{cache 30 a b}"),
    (". {\nhealth {\nlameduck 5s\n}\n}", ROOT + "{health [lameduck 5s]}"),
    (". {\nhealth { lameduck 5s\n}\n}", ROOT + "{health [lameduck 5s]}"),
    (
        ". {\nforward . 1.1.1.1 {\nexcept a b\nforce_tcp\n}\n}",
        ROOT + "{forward . 1.1.1.1 [except a b; force_tcp]}",
    ),
    (". {\nerrors { }\n}", ROOT + "{errors}"),
    (". {\nerrors {\n}\n}", ROOT + "{errors}"),
    (". {\nerrors {}\n}", ROOT + "{errors {}}"),
    (". {\nforward . X { force_tcp }\n}", ROOT + "{forward . X [force_tcp }]}"),
    (". {\nforward . { 1.1.1.1\n}\n}", ROOT + "{forward . [1.1.1.1]}"),
    (". {\nlog a\ncache\nlog b\n}", ROOT + "{log a; log b; cache}"),
    ('. "{"\nwhoami\n"}"', ROOT + "{whoami}"),
    (". {\nwhoami 'a\n}", ROOT + "{whoami 'a}"),
    ('. {\nwhoami "a\nb" c\nlog\n}', ROOT + "{whoami a\nb c; log}"),
    (".\nwhoami\n}", ROOT + "{whoami}"),
    (". {\nerrors {\n}", ROOT + "{errors}"),
    ("", ROOT + "{whoami; log}"),
    ("# only a comment\n\n", ROOT + "{whoami; log}"),
    ("{\nwhoami\n}", ROOT + "{whoami; log}"),
    ("(s) {\nerrors\n}", ROOT + "{whoami; log}"),
)

REFUSED = (
    (". { whoami }", P.format(1, "Unexpected '}' because no matching opening brace; '}' must start a line")),
    (". {\nwhoami", "Corefile:2 - Syntax error: Unexpected token 'whoami', expecting '}'"),
    (". {", "Corefile:1 - Syntax error: Unexpected token '{', expecting '}'"),
    (". {\nlog {\nclass all", P.format(3, "Unexpected EOF")),
    ("a,", P.format(1, "Unexpected EOF")),
    ("a, {\n}", P.format(1, "Expected another address but had '{' - check for extra comma")),
    (". {\nnonsense\n}", P.format(2, "Unknown directive 'nonsense'")),
    (". {\nforwad . 1.1.1.1\n}", P.format(2, "Unknown directive 'forwad' (did you mean 'forward'?)")),
    (". {\ncache{\n}\n}", P.format(2, "Unknown directive 'cache{' (did you mean 'cache'?)")),
    (". {\nWHOAMI\n}", P.format(2, "Unknown directive 'WHOAMI'")),
    (".\nwhoami\nb {\n}", P.format(3, "Unknown directive 'b'")),
    (
        ".:53{\nwhoami\n}",
        "error inspecting server blocks: zone is not a valid domain name: .:53{; put a blank before '{' (Corefile:1)",
    ),
    (". {\nforward . X\n{\nforce_tcp\n}\n}", "plugin/forward: " + P.format(3, BRACE)),
    (". {\nerrors {\n} x\n}", "plugin/errors: " + P.format(3, WRONG.format("x"))),
    (". {\nlog {\na {\nb\n}\n}\n}", "plugin/log: " + P.format(3, BRACE)),
    (". {\nlog {\n} {\n}\n}", "plugin/log: " + P.format(3, BRACE)),
)


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_accepted(text: str, expected: str) -> None:
    assert outcome(text) == expected


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_refused(text: str, expected: str) -> None:
    assert outcome(text) == expected


WARNINGS = (
    ("{\nwhoami\n}", "Corefile:1 - this block has no server key and is not served"),
    ("a {\n}\n{$EMPTY} {\n}", "Corefile:3 - this block has no server key and is not served"),
    (". {\nerrors {\n}", "Corefile:1 - the '}' that closes this server block is missing"),
    ("example.org:53{\nwhoami\n}", "Corefile:1 - 'example.org:53{' is one word; put a blank before '{'"),
    (
        "10.0.0.0/33 {\n}",
        "Corefile:1 - '10.0.0.0/33' is no CIDR and is served as the name 10.0.0.0/33.",
    ),
)


@pytest.mark.parametrize(("text", "expected"), WARNINGS)
def test_warnings(text: str, expected: str) -> None:
    assert parsed(text).warnings == (expected,)


def test_repeated_directives_are_one_with_all_occurrences_in_file_order() -> None:
    (block,) = parsed(". {\nforward a 1.1.1.1\nlog\nforward b 2.2.2.2\n}").blocks
    assert [directive.name for directive in block.directives] == ["forward", "log"]
    forward = block.directive("forward")
    assert forward is not None
    assert [(found.texts[0], found.line) for found in forward.occurrences] == [("a", 2), ("b", 4)]
    assert block.directive("cache") is None


def test_places() -> None:
    first, second = parsed("# c\na {\nhealth {\n\nlameduck 5s\n}\n}\nb {\n}\n").blocks
    assert (first.file, first.line, second.line) == ("Corefile", 2, 8)
    health = first.directives[0].occurrences[0]
    assert (health.file, health.line, health.properties[0].line) == ("Corefile", 3, 5)


def test_deep_braces_do_not_exhaust_the_stack() -> None:
    assert outcome(". {\nlog " + "{\n" * 50_000) == P.format(50_001, "Unexpected EOF")
