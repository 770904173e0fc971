"""Every case of every table: as the handler's value, and as octets over UDP and TCP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import pytest
import pytest_asyncio

from dnsserver.plugins.plugin import Handler
from dnsserver.wire.codes import OPTION_EDE
from tests.answers.case import Case, Shown, message_shown, reply_shown
from tests.answers.scene import Scene, Served, query_value, serving
from tests.answers.tables import TABLES

ROWS = [
    pytest.param(table.scene, case, id=f"{table.section}-{table.scene.name}-{case}")
    for table in TABLES
    for case in table.cases
]
#: Octets. An EDNS size in which every reply of the tables fits but the big ones.
ROOMY = 4096
COOKIE = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"8 octets")


class Stage:
    """Every scene once, whatever the number of its cases: nothing that a client asks changes anything."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._handlers: dict[str, Handler] = {}
        self._served: dict[str, Served] = {}

    def handler(self, scene: Scene) -> Handler:
        if scene.name not in self._handlers:
            self._handlers[scene.name] = scene.handler()
        return self._handlers[scene.name]

    async def served(self, scene: Scene) -> Served:
        if scene.name not in self._served:
            self._served[scene.name] = await self._stack.enter_async_context(serving(scene))
        return self._served[scene.name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(stack)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("scene", "case"), ROWS)
async def test_answer_of_the_handler(stage: Stage, scene: Scene, case: Case) -> None:
    reply = await stage.handler(scene)(query_value(case.name, case.rtype, case.rclass))
    assert reply is not None
    assert reply_shown(reply) == case.shown(scene.soa(case.name))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("scene", "case"), ROWS)
async def test_answer_over_udp_and_tcp(stage: Stage, scene: Scene, case: Case) -> None:
    plain = dns.message.make_query(case.name, case.rtype, case.rclass, id=4711)
    roomy = dns.message.make_query(
        case.name, case.rtype, case.rclass, use_edns=0, payload=ROOMY, want_dnssec=True, options=[COOKIE]
    )
    expected = case.shown(scene.soa(case.name))
    served = await stage.served(scene)
    if not case.big:
        check(plain, await served.over_udp(plain.to_wire()), case, expected)
        check(roomy, await served.over_udp(roomy.to_wire()), case, expected)
    check(plain, await served.over_tcp(plain.to_wire()), case, expected)
    check(roomy, await served.over_tcp(roomy.to_wire()), case, expected)
    assert served.dispatcher.panics == 0


def test_a_name_stands_for_one_scene() -> None:
    """The stage keeps scenes by name."""
    scenes = {(table.scene.name, id(table.scene)) for table in TABLES}
    assert len(scenes) == len({name for name, _ in scenes})


def check(asked: dns.message.Message, octets: bytes, case: Case, expected: Shown) -> None:
    """The reply's header, question, sections and OPT (sections 10 and 15)."""
    reply = dns.message.from_wire(octets, one_rr_per_rrset=True)
    assert message_shown(reply) == expected
    assert (reply.id, reply.opcode()) == (asked.id, dns.opcode.QUERY)
    kept = dns.flags.RD | dns.flags.CD
    assert reply.flags & kept == asked.flags & kept
    assert reply.flags & dns.flags.QR
    assert not reply.flags & (dns.flags.AD | 0x40)
    assert not (expected.aa and reply.flags & dns.flags.RA)
    assert [question.to_text() for question in reply.question] == [asked.question[0].to_text()]
    assert (reply.edns, reply.payload, reply.ednsflags) == (asked.edns, asked.payload, asked.ednsflags)
    given = [option.otype for option in reply.options]
    assert given == ([OPTION_EDE] if case.ede is not None and asked.edns >= 0 else [])
    for option in reply.options:
        assert isinstance(option, dns.edns.EDEOption)
        assert option.code == case.ede
