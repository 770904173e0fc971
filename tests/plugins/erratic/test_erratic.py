"""erratic: replies that are late, cut or missing."""

import asyncio

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.erratic import setup
from dnsserver.plugins.erratic.settings import ErraticSettings
from dnsserver.plugins.plugin import no_next_plugin
from dnsserver.wire.codes import Rcode, type_name
from tests.plugins.helpers import directive, handler, query, refused, site


async def replies(text: str, count: int = 6, rtype: str = "A") -> list[Reply | None]:
    erratic = handler(setup, text)
    return [await erratic(query(rtype=rtype)) for _ in range(count)]


def pattern(found: list[Reply | None]) -> str:
    """One letter each: nothing, truncated, whole."""
    return "".join("n" if reply is None else "t" if reply.truncated else "w" for reply in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("erratic", "nwnwnw"),
        ("erratic {\ndrop 3\n}", "nwwnww"),
        ("erratic {\ndrop 0\n}", "wwwwww"),
        ("erratic {\ntruncate\n}", "twtwtw"),
        ("erratic {\ntruncate 3\n}", "twwtww"),
        ("erratic {\ntruncate 3\ndrop 2\n}", "nwntnw"),
        ("erratic {\ndelay 2 0\n}", "wwwwww"),
    ],
)
async def test_turns(text: str, expected: str) -> None:
    assert pattern(await replies(text)) == expected


async def test_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await replies("erratic {\ndelay 3 7ms\n}")
    assert slept == [0.007, 0.007]


@pytest.mark.parametrize(
    ("rtype", "records"),
    [
        ("A", ["A c0000235"]),
        ("AAAA", ["AAAA 20010db8000000000000000000000053"]),
        ("AXFR", ["SOA ", "NS ", "NS ", "AAAA 20010bd8000000000000000000000053"]),
    ],
)
async def test_records(rtype: str, records: list[str]) -> None:
    (reply,) = await replies("erratic {\ndrop 0\n}", 1, rtype)
    assert reply is not None
    found = [f"{type_name(record.rtype)} {record.rdata.head.hex()}" for record in reply.answer]
    assert found[:4] == records
    assert reply.authoritative


async def test_a_transfer_ends_unless_it_is_truncated() -> None:
    whole, cut = await replies("erratic {\ndrop 0\ndelay 0\n}", 1, "AXFR") + await replies(
        "erratic {\ntruncate\n}", 1, "AXFR"
    )
    assert whole is not None
    assert cut is not None
    assert whole.answer == (*cut.answer, cut.answer[0])


async def test_other_types_fail() -> None:
    assert [reply and reply.rcode for reply in await replies("erratic {\ndrop 0\n}", 1, "MX")] == [
        Rcode.SERVFAIL
    ]


async def test_large() -> None:
    (reply,) = await replies("erratic {\ndrop 0\nlarge\n}", 1)
    assert reply is not None
    assert len(reply.answer) == 30


async def test_ready_from_the_third_to_the_fifth_query() -> None:
    plugin = setup(directive("erratic"), site())
    assert plugin.wrap is not None
    assert plugin.waiting_for is not None
    erratic = plugin.wrap(no_next_plugin)
    states = []
    for _ in range(6):
        states.append(not plugin.waiting_for())
        await erratic(query())
    assert states == [False, False, False, True, True, False]


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("erratic {\ndelay\n}", ErraticSettings(drop=0, delay=2, delay_s=0.1)),
        ("erratic {\ndelay 4 1s\ndrop\n}", ErraticSettings(drop=0, delay=4, delay_s=1)),
        ("erratic {\ndrop 5\ndelay 1\n}", ErraticSettings(drop=5, delay=1)),
    ],
)
def test_settings(text: str, settings: ErraticSettings) -> None:
    assert ErraticSettings.from_directive(directive(text)) == settings


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("drop x", 'strconv.ParseInt: parsing "x": invalid syntax (Corefile:3)'),
        ("drop -1", 'illegal amount value given "-1" (Corefile:3)'),
        ("truncate -1", 'illegal amount value given "-1" (Corefile:3)'),
        ("delay 9999999999", 'strconv.ParseInt: parsing "9999999999": value out of range (Corefile:3)'),
        ("delay 1 5", 'time: missing unit in duration "5" (Corefile:3)'),
        ("slow", "Corefile:3 - Error during parsing: unknown property 'slow'"),
        *(
            (
                f"{line} z",
                "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'z'",
            )
            for line in ("drop 1", "truncate 1", "delay 1 1s")
        ),
    ],
)
def test_refused(line: str, error: str) -> None:
    assert refused(setup, f"erratic {{\n{line}\n}}") == f"plugin/erratic: {error}"
