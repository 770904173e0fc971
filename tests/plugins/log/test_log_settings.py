"""log: Corefile text to rules."""

import pytest

from dnsserver.plugins.log import setup
from dnsserver.plugins.log.classes import CLASSES
from dnsserver.plugins.log.formats import COMBINED, COMMON
from dnsserver.plugins.log.settings import LogSettings, Rule
from dnsserver.wire import names
from tests.plugins.helpers import directive, refused


def rule(scope: str = ".", form: str = COMMON, *classes: str) -> Rule:
    return Rule(scope=names.from_text(scope), format=form, classes=frozenset(classes) or CLASSES)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("log", (rule(),)),
        ("log Example.ORG", (rule("example.org."),)),
        ("log {type}", (rule("{type}"),)),
        ("log a.test b.test", (rule("a.test"), rule("b.test"))),
        ("log a.test {common}", (rule("a.test"),)),
        ("log . {combined}", (rule(".", COMBINED),)),
        (
            'log a.test b.test "x {type} {common}!"',
            tuple(rule(one, f"x {{type}} {COMMON}!") for one in ("a.test", "b.test")),
        ),
        ("log {\nclass denial\n}", (rule(".", COMMON, "denial"),)),
        ("log a.test {\nclass denial error\nclass success\n}", (rule("a.test"),)),
        ("log {\nclass denial all\n}", (rule(),)),
        ("log {\n}", (rule(),)),
        ("log a.test {\nclass error\n}\nlog", (rule("a.test", COMMON, "error"), rule())),
    ],
)
def test_settings(text: str, rules: tuple[Rule, ...]) -> None:
    assert LogSettings.from_directive(directive(text)) == LogSettings(rules=rules)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("log {\nclass nice\n}", "plugin/log: invalid Class: nice (Corefile:3)"),
        (
            "log {\nclass\n}",
            "plugin/log: Corefile:3 - Error during parsing: "
            "Wrong argument count or unexpected line ending after 'class'",
        ),
        (
            "log {\nclasses all\n}",
            "plugin/log: Corefile:3 - Error during parsing: unknown property 'classes'",
        ),
        ("log a..b", "plugin/log: not a domain name: 'a..b' has an empty label (Corefile:2)"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == error
