"""Section 1.1 of coredns-compat.md: tokens."""

from __future__ import annotations

import pytest

from dnsserver.config import ConfigError
from dnsserver.config.lexer import lex

TOKENS = (
    # text, (word, line) pairs
    ("", ()),
    ("a b", (("a", 1), ("b", 1))),
    ("\ufeffa", (("a", 1),)),
    ("a\ufeff", (("a\ufeff", 1),)),
    ("a\r\nb\r\n", (("a", 1), ("b", 2))),
    ("a\rb", (("ab", 1),)),
    ("a\u00a0b\u2003c\u3000d\x85e\x0bf\x0cg\th", tuple((word, 1) for word in "abcdefgh")),
    ("a\u200bb", (("a\u200bb", 1),)),
    ("a\x1fb", (("a\x1fb", 1),)),
    ('"a b" c', (("a b", 1), ("c", 1))),
    ('"a\nb" c', (("a\nb", 1), ("c", 2))),
    ('"a"b', (("a", 1), ("b", 1))),
    ('""', (("", 1),)),
    (r'"say \"hi\""', (('say "hi"', 1),)),
    (r'"\d+\.\w \\ \n"', ((r"\d+\.\w \\ \n", 1),)),
    (r'"end\\" b', (("end\\\\", 1), ("b", 1))),
    ('a"b c"', (('a"b', 1), ('c"', 1))),
    ("'a b' `c`", (("'a", 1), ("b'", 1), ("`c`", 1))),
    ("a \\\nb", (("a", 1), ("\\", 1), ("b", 2))),
    ("<<EOF", (("<<EOF", 1),)),
    ("# a\nb", (("b", 2),)),
    ("a # b c\nd", (("a", 1), ("d", 2))),
    ('# "a\nb', (("b", 2),)),
    ('"a # b"', (("a # b", 1),)),
    ("whoami#x", (("whoami", 1),)),
    ("whoami#x y\nz", (("whoami", 1), ("y", 1), ("z", 2))),
    ('"a"#b c', (("a", 1),)),
    ("{ } {} }{", (("{", 1), ("}", 1), ("{}", 1), ("}{", 1))),
    ('"{" "import"', (("{", 1), ("import", 1))),
    ('"open', (("open", 1),)),
    ('a "', (("a", 1),)),
    ("é 日本", (("é", 1), ("日本", 1))),
)


@pytest.mark.parametrize(("text", "expected"), TOKENS)
def test_tokens(text: str, expected: tuple[tuple[str, int], ...]) -> None:
    found = lex(text, "F", limit=100).tokens
    assert tuple((token.text, token.line) for token in found) == expected
    assert {token.file for token in found} <= {"F"}


WARNINGS = (
    ("a #b", None),
    ("#a", None),
    ('"a#b"', None),
    ("x\nwhoami#x", "F:2 - '#' directly behind 'whoami' starts a comment that ends at the next blank"),
    ('a\n"b\nc', "F:2 - the double quote that opens here is never closed"),
)


@pytest.mark.parametrize(("text", "expected"), WARNINGS)
def test_warnings(text: str, expected: str | None) -> None:
    warnings = lex(text, "F", limit=100).warnings
    assert len(warnings) == (expected is not None)
    assert all(warning.startswith(str(expected)) for warning in warnings)


def test_long_words_are_cut_in_warnings() -> None:
    (warning,) = lex("a" * 5000 + "#", "F", limit=100).warnings
    assert len(warning) < 400


def test_words_on_one_line() -> None:
    first, second, third = lex('"a\nb" c\nd', "F", limit=100).tokens
    assert second.on_line_of(first)
    assert not third.on_line_of(second)


REFUSED = (
    ("a\nb\0c", "F:2 - Error during parsing: the text has a null character; save the file as UTF-8"),
    ("a b\nc d", "F:2 - Error during parsing: configuration too large: more than 3 words; split it"),
)


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refused_texts(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lex(text, "F", limit=3)
    assert str(caught.value).startswith(message)
