"""cancel: how long a query may take."""

import asyncio

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.cancel import setup
from dnsserver.plugins.cancel.settings import CancelSettings
from dnsserver.plugins.plugin import Repeats
from dnsserver.wire.codes import ExtendedError, Rcode
from dnsserver.wire.edns import told_cause
from tests.plugins.helpers import directive, handler, query, refused, replying, site


@pytest.mark.parametrize(
    ("text", "timeout_s"),
    [("cancel", 5.001), ("cancel 1500ms", 1.5), ("cancel 1s\ncancel 2s", 2), ("cancel 1s\ncancel", 5.001)],
)
def test_settings(text: str, timeout_s: float) -> None:
    assert CancelSettings.from_directive(directive(text)).timeout_s == timeout_s


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("cancel 5", 'invalid duration: "5" (Corefile:2)'),
        ("cancel x\ncancel", 'invalid duration: "x" (Corefile:2)'),
        ("cancel 0", 'invalid negative duration: "0" (Corefile:2)'),
        ("cancel -1s", 'invalid negative duration: "-1s" (Corefile:2)'),
        (
            "cancel 1s 2s",
            "Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '2s'",
        ),
        (
            "cancel {\nx\n}",
            "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'x'",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/cancel: {error}"


async def test_what_takes_too_long_ends(caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()

    async def following(_: Query) -> Reply:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("never")

    found = await handler(setup, "cancel 10ms", following)(query("A.test."))
    error = "context deadline exceeded"
    told = told_cause(ExtendedError.OTHER, "no answer in the time that plugin cancel gives")
    assert found == Reply(rcode=Rcode.SERVFAIL, options=(told,), plugin="cancel", error=error)
    assert ended.is_set()
    assert caplog.messages == ["2 a.test. A: context deadline exceeded"]


async def test_what_is_in_time_passes() -> None:
    reply = Reply(authoritative=True)
    assert await handler(setup, "cancel", replying(reply))(query()) is reply
    assert await handler(setup, "cancel", replying(None))(query()) is None


async def test_time_outs_of_others_are_theirs() -> None:
    async def following(_: Query) -> Reply:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await handler(setup, "cancel 10s", following)(query())


def test_replies_may_be_given_again() -> None:
    assert setup(directive("cancel"), site()).repeats is Repeats.AS_IT_IS
