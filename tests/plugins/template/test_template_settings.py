"""template: which lines are refused, and with which words."""

import pytest

from dnsserver.plugins.template import setup
from tests.plugins.helpers import refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("template", "Wrong argument count or unexpected line ending after 'template'"),
        ("template IN", "Wrong argument count or unexpected line ending after 'IN'"),
        ("template XX A", "invalid query class XX"),
        ("template in A", "invalid query class in"),
        ("template IN NOPE", "invalid RR class NOPE"),
        ("template IN a", "invalid RR class a"),
        ("template IN TYPE65", "invalid RR class TYPE65"),
        ("template IN A a..b", "a..b"),
        ("template IN A {\n match\n}", "Wrong argument count or unexpected line ending after 'match'"),
        ("template IN A {\n match (\n}", "could not parse regex: (, error parsing regexp: missing )"),
        ("template IN A {\n match " + "a" * 10_001 + "\n}", "regex pattern too long: 10001 > 10000"),
        ("template IN A {\n answer\n}", "Wrong argument count or unexpected line ending after 'answer'"),
        (
            'template IN A {\n answer "{{ .Nope }}"\n}',
            "could not compile template: {{ .Nope }}, template: answer: can't",
        ),
        ('template IN A {\n authority "{{ nope }}"\n}', 'template: authority: function "nope" not defined'),
        ('template IN A {\n additional "{{"\n}', "template: additional: unclosed action"),
        ("template IN A {\n var\n}", "Wrong argument count or unexpected line ending after 'var'"),
        ("template IN A {\n var 1a 1\n}", 'invalid variable name "1a"'),
        ("template IN A {\n var name 1\n}", 'variable name "name" is reserved'),
        ("template IN A {\n var group 1\n}", 'variable name "group" is reserved'),
        ("template IN A {\n var len 1\n}", 'variable name "len" is reserved'),
        ("template IN A {\n var let 1\n}", 'variable name "let" is reserved'),
        ("template IN A {\n var a 1\n var a 2\n}", 'variable name "a" is reserved'),
        ("template IN A {\n var a b + 1\n}", "could not compile expression: a, unknown name b (1:1)"),
        ("template IN A {\n expr\n}", "Wrong argument count or unexpected line ending after 'expr'"),
        ("template IN A {\n expr name() == 1\n}", "could not compile expression: invalid operation: =="),
        ("template IN A {\n rcode\n}", "Wrong argument count or unexpected line ending after 'rcode'"),
        ("template IN A {\n rcode nope\n}", "unknown rcode nope"),
        ("template IN A {\n rcode NXDOMAIN x\n}", "Wrong argument count or unexpected line ending after 'x'"),
        ("template IN A {\n ederror\n}", "Wrong argument count or unexpected line ending after 'ederror'"),
        (
            "template IN A {\n ederror x\n}",
            'error parsing extended DNS error code x, strconv.ParseUint: parsing "x"',
        ),
        ("template IN A {\n ederror 65536\n}", "value out of range"),
        ("template IN A {\n nope\n}", "Wrong argument count or unexpected line ending after 'nope'"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    message = refused(setup, text)
    assert message.startswith("plugin/template: ")
    assert reason in message
    assert "Corefile:" in message
