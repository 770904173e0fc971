"""errors: what is logged."""

import asyncio
import logging

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.errors import setup
from dnsserver.plugins.plugin import Handler, no_next_plugin
from dnsserver.wire.codes import Rcode
from tests.plugins.helpers import directive, handler, query, replying, site
from tests.support.upstream import until


def failing(text: str = "i/o timeout", rcode: int = Rcode.SERVFAIL) -> Handler:
    return replying(Reply(rcode=rcode, error=text))


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    assert {record.name for record in caplog.records} <= {"dnsserver.plugin.errors"}
    return [(record.levelno, record.getMessage()) for record in caplog.records]


@pytest.fixture(autouse=True)
def _every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dnsserver")


@pytest.mark.parametrize(
    ("following", "line"),
    [
        (failing("read udp A->B: i/o timeout"), "2 example.org. MX: read udp A->B: i/o timeout"),
        (no_next_plugin, "2 example.org. MX: no next plugin found"),
        (failing("too many", Rcode.REFUSED), "5 example.org. MX: too many"),
    ],
)
async def test_line(following: Handler, line: str, caplog: pytest.LogCaptureFixture) -> None:
    asked = query("Example.ORG.", "MX")
    assert await handler(setup, "errors", following)(asked) == await following(asked)
    assert lines(caplog) == [(logging.ERROR, line)]


@pytest.mark.parametrize("reply", [None, Reply(), Reply(rcode=Rcode.NXDOMAIN), Reply(rcode=Rcode.SERVFAIL)])
async def test_no_error_no_line(reply: Reply | None, caplog: pytest.LogCaptureFixture) -> None:
    assert await handler(setup, "errors", replying(reply))(query()) == reply
    assert lines(caplog) == []


async def broken(_: Query) -> Reply | None:
    raise ZeroDivisionError("oh no")


@pytest.mark.parametrize(
    ("text", "expected"), [("errors", []), ("errors {\nstacktrace\n}", ["ZeroDivisionError('oh no')"])]
)
async def test_stacktrace(text: str, expected: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError):
        await handler(setup, text, broken)(query())
    assert lines(caplog) == [(logging.ERROR, f"2 example.org. A: {error}") for error in expected]
    assert [record.exc_info is not None for record in caplog.records] == [True] * len(expected)


async def logged(caplog: pytest.LogCaptureFixture, count: int) -> list[tuple[int, str]]:
    await until(lambda: len(caplog.records) >= count)
    return lines(caplog)


ONE = "2 example.org. A: i/o timeout"


@pytest.mark.parametrize(
    ("options", "errors", "expected"),
    [
        ("", 3, [(logging.ERROR, "3 errors like 'time' occurred in last 20ms")]),
        ("warning", 1, [(logging.WARNING, "1 errors like 'time' occurred in last 20ms")]),
        (
            "info show_first",
            3,
            [(logging.INFO, ONE), (logging.INFO, "3 errors like 'time' occurred in last 20ms")],
        ),
        ("debug show_first", 1, [(logging.DEBUG, ONE)]),
    ],
)
async def test_consolidate(
    options: str, errors: int, expected: list[tuple[int, str]], caplog: pytest.LogCaptureFixture
) -> None:
    text = f"errors {{\nconsolidate 20ms time {options}\n}}"
    answer = handler(setup, text, failing())
    for period in (1, 2):
        caplog.clear()
        for _ in range(errors):
            await answer(query())
        if not options.endswith("show_first"):
            assert lines(caplog) == [], f"period {period}"
        assert await logged(caplog, len(expected)) == expected
        await asyncio.sleep(0.03)
        assert lines(caplog) == expected


async def test_first_pattern_that_matches_counts(caplog: pytest.LogCaptureFixture) -> None:
    text = "errors {\nconsolidate 20ms refused$\nconsolidate 20ms timeout$\nconsolidate 20ms .* debug\n}"
    await handler(setup, text, failing())(query())
    assert await logged(caplog, 1) == [(logging.ERROR, "1 errors like 'timeout$' occurred in last 20ms")]


async def test_what_no_pattern_matches_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await handler(setup, "errors {\nconsolidate 1h refused$ debug\n}", failing())(query())
    assert lines(caplog) == [(logging.ERROR, ONE)]


async def test_the_end_tells_what_was_counted(caplog: pytest.LogCaptureFixture) -> None:
    plugin = setup(directive("errors {\nconsolidate 1h time warning\n}"), site())
    assert plugin.wrap is not None
    assert plugin.lifespan is not None
    answer = plugin.wrap(failing())
    async with plugin.lifespan():
        await answer(query())
        await answer(query())
        assert lines(caplog) == []
    assert lines(caplog) == [(logging.WARNING, "2 errors like 'time' occurred in last 1h0m0s")]
    await answer(query())
    assert lines(caplog)[1:] == [(logging.WARNING, ONE)]
