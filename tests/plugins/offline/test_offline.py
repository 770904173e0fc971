"""offline: NXDOMAIN for all that comes this far."""

import pytest

from dnsserver.plugins.offline import setup
from dnsserver.wire.codes import Class, Rcode
from tests.plugins.helpers import handler, query, refused, replying


@pytest.mark.parametrize("rtype", ["A", "AAAA", "SOA", "ANY"])
async def test_no_name_exists(rtype: str) -> None:
    reply = await handler(setup, "offline")(query("www.example.com.", rtype))
    assert reply is not None
    assert (reply.rcode, reply.answer, reply.authority, reply.authoritative) == (
        Rcode.NXDOMAIN,
        (),
        (),
        False,
    )


async def test_other_classes_go_on() -> None:
    assert await handler(setup, "offline", replying(None))(query(rclass=Class.CH)) is None


@pytest.mark.parametrize("text", ["offline now", "offline {\nnow\n}"])
def test_refused(text: str) -> None:
    assert "Corefile:" in refused(setup, text)
