"""The end of a chain: the error names who was last, as logs and `consolidate` patterns know it from CoreDNS."""

import pytest

from dnsserver.plugins.plugin import Handler, Plugin, chain
from dnsserver.wire.codes import Rcode
from tests.plugins.helpers import query


def through(handler: Handler) -> Handler:
    return handler


@pytest.mark.parametrize(
    ("plugins", "error"),
    [
        ((), "no next plugin found"),
        ((Plugin(name="bind"),), "no next plugin found"),
        ((Plugin(name="errors", wrap=through),), "plugin/errors: no next plugin found"),
        (
            (Plugin(name="errors", wrap=through), Plugin(name="file", wrap=through), Plugin(name="reload")),
            "plugin/file: no next plugin found",
        ),
    ],
)
async def test_nobody_answers(plugins: tuple[Plugin, ...], error: str) -> None:
    reply = await chain(plugins)(query())
    assert reply is not None
    assert (reply.rcode, reply.error) == (Rcode.SERVFAIL, error)
