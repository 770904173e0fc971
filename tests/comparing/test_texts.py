"""Questions from log lines and from files."""

import pytest

from dnsserver.comparing.texts import TextError, listed_questions, logged_questions
from dnsserver.wire import names
from tests.comparing.replies import question

LOG = r"""
[INFO] 10.244.0.5:44321 - 12345 "A IN nginx.default.svc.cluster.local. udp 56 false 1232" NOERROR qr,aa,rd 110 0.0001s
[pod/coredns-x/coredns] [INFO] [fd00::5]:1 - 7 "TYPE65 IN a\.b.example. tcp 56 true 4096" NXDOMAIN qr,rd,ra 95 0.2s "0"
[INFO] 10.244.0.5:44321 - 12345 "TXT CH version.bind. udp 30 false 512" NOERROR qr 50 0.0001s
[ERROR] plugin/errors: 2 nginx. A: read udp 10.0.0.1:53: i/o timeout
[INFO] 10.244.0.5:44321 - 1 "A IN a..b. udp 56 false 1232" FORMERR qr 12 0.0001s
CoreDNS-1.14.7
"""


def test_log_lines() -> None:
    assert list(logged_questions(LOG.splitlines())) == [
        question("nginx.default.svc.cluster.local. A"),
        question(r"a\.b.example. TYPE65"),
    ]


def test_listed_questions() -> None:
    lines = ["# comment", "; another", "", "a.example AAAA", "\tb.example.   srv ", "c.example TYPE65280"]
    wanted = [question("a.example. AAAA"), question("b.example. SRV"), question("c.example. TYPE65280")]
    assert list(listed_questions(lines, "file")) == wanted
    assert wanted[0].name == names.from_text("a.example")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.example", "file:2: 'a.example' is not NAME TYPE, such as `example.com A`"),
        ("a.example A IN", "file:2: 'a.example A IN' is not NAME TYPE"),
        ("a.example NOPE", "file:2: 'a.example NOPE' is not NAME TYPE"),
        ("x" * 1000, f"file:2: '{'x' * 80}' is not NAME TYPE"),
        ("a..example A", "file:2: 'a..example' has an empty label"),
    ],
)
def test_other_lines_are_refused(line: str, message: str) -> None:
    with pytest.raises(TextError) as raised:
        list(listed_questions(["x.example A", line], "file"))
    assert str(raised.value).startswith(message)
