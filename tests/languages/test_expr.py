"""Expressions: values, and which are refused when they are read."""

import pytest

from dnsserver.languages.expr import EvaluationError, ExprError, Kind, Signature, parse

KNOWN: dict[str, Signature | Kind] = {
    "name": Signature((), Kind.STRING),
    "size": Signature((), Kind.INTEGER),
    "has": Signature((Kind.STRING, Kind.STRING), Kind.TRUTH),
    "anything": Signature((Kind.ANY,), Kind.ANY),
    "ip": Kind.STRING,
    "n": Kind.INTEGER,
}
NAMES = {
    "name": lambda: "abc.x.example.com.",
    "size": lambda: 29,
    "has": lambda one, other: other in one,
    "anything": lambda value: value,
    "ip": "10.1.2.3",
    "n": 7,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("nil", None),
        ("name() == 'abc.x.example.com.'", True),
        ('name() != "a"', True),
        ("size() > 28 && size() >= 29 and size() < 30 && size() <= 29", True),
        ("false || n == 7 or anything('x')", True),
        ("true || anything(1)", True),
        ("!true || not false", True),
        ("not true == false", True),
        ("'A' in ['A', 'AAAA']", True),
        ("1 in [true]", False),
        ("'MX' not in ['A', 'AAAA']", True),
        (r"name() matches '^abc\\..*\\.example\\.com\\.$'", True),
        ("name() not matches `^x`", True),
        ("name() contains 'x.ex' && name() startsWith 'abc' && name() endsWith 'com.'", True),
        ("1 + 2 * 3 - 4 / 2", 5.0),
        ("(1 + 2) * 3 % 5", 4),
        ("-7 % 4", -3),
        ("-n + +1", -6),
        ("1 == 1.0", True),
        ("'a' + ip", "a10.1.2.3"),
        ("n > 5 ? 'big' : 'small'", "big"),
        ("[1, 'b', [2]][-1][0]", 2),
        ("0x10 + 0b1 + 1_000", 1017),
        ("len(ip) + len([1])", 9),
        ("lower('Ab') + upper('Ab') + trim(' a ') + trim('xax', 'x')", "abABaa"),
        ("trimPrefix('abc', 'a') + trimSuffix('abc', 'c')", "bcab"),
        ("hasPrefix(ip, '10.') && hasSuffix(ip, '.3')", True),
        ("replace(ip, '.', '-')", "10-1-2-3"),
        ("join(split(ip, '.'), '/') + join(['a', 'b'])", "10/1/2/3ab"),
        ("int('12') + int(1.9) + int('-3')", 10),
        ("string(1) + string(true) + string(nil)", "1true<nil>"),
        ("any(['10', '11'], has(ip, #)) && any([1, 2], {# > 1})", True),
        ("all([1, 2], # > 1) || none([1], # > 1) && one([1, 2], # > 1)", True),
        ("count([1, 2, 3], # > 1)", 2),
        ("any([1], any([2], # == 2) && # == 1)", True),
        ("anything(1) == 'a'", False),
        ("'a' /* note */ == 'a' // note", True),
    ],
)
def test_value(text: str, expected: object) -> None:
    value = parse(text, KNOWN).run(NAMES)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("invalid expression", "unknown name invalid (1:1)"),
        ("foo()", "unknown name foo (1:1)"),
        ("ip()", "ip is not callable"),
        ("name", "name is a function"),
        ("len", "len is a function"),
        ("1 2", "unexpected token '2' (1:3)"),
        ("1 +", "unexpected token 'EOF'"),
        ("(1", "expected ')'"),
        ("[1", "expected ','"),
        ("'a", "literal not terminated"),
        ("'\\z'", "unknown escape sequence"),
        ("1 @ 2", "unrecognized character"),
        ("name() == 1", "mismatched types string and int"),
        ("1 < 'a'", "mismatched types int and string"),
        ("name() && true", "mismatched types string and bool"),
        ("!1", "mismatched type int"),
        ("-'a'", "mismatched type string"),
        ("1 in 2", "mismatched types int and int"),
        ("1 contains 'a'", "mismatched types int and string"),
        ("1.5 % 2", "mismatched types float64 and int"),
        ("1 - 'a'", "mismatched types int and string"),
        ("1 matches 'a'", "mismatched types int and string"),
        ("1 ? 2 : 3", "non-bool expression"),
        ("ip matches name()", "must be a string literal"),
        ("ip matches '('", "error parsing regexp"),
        ("has('a')", "not enough arguments to call has"),
        ("has('a', 'b', 'c')", "too many arguments to call has"),
        ("has(1, 'b')", "cannot use int as argument (type string) to call has"),
        ("len(1)", "cannot use int as argument (type string) to call len"),
        ("any(1, true)", "builtin any takes only array (got int)"),
        ("any([1], 1)", "predicate should return boolean (got int)"),
        ("# > 1", "'#' outside the predicate"),
        ("{'a': 1}", "maps are not supported"),
        ("1 ?? 2", "'??' is not supported"),
        ("ip?.x", "'?.' is not supported"),
        ("1..3", "'..' is not supported"),
        ("2 ** 3", "powers are not supported"),
        ("2 ^ 3", "powers are not supported"),
        ("ip | lower()", "pipes are not supported"),
        ("let x = 1; x", "'let' is not supported"),
        ("ip.x", "members with '.' are not supported"),
        ("[1][0:1]", "slices are not supported"),
        ("1[0]", "type int is not indexable"),
        ("[1]['a']", "invalid index of type string"),
        ("99999999999999999999", "bad number syntax"),
        ("(" * 60, "inside each other"),
        ("!" * 60 + "true", "inside each other"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(ExprError) as caught:
        parse(text, KNOWN)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "int('x')",
        "int(anything(nil))",
        "1 % 0",
        "[1][5]",
        "anything('a') > 1",
        "anything(1) && true",
        "anything(1) contains 'a'",
        "9223372036854775807 + 1",
        "string([1])",
        "join([1])",
        "replace(join(split(replace(name(), '', name()), ''), name()), '', name())",
        "any(split(replace(name(), '', name()), ''), any(split(replace(name(), '', name()), ''), false))",
    ],
)
def test_fails_when_it_runs(text: str) -> None:
    expression = parse(text, KNOWN)
    with pytest.raises(EvaluationError, match=r"."):
        expression.run({**NAMES, "name": lambda: "abc." * 60})
