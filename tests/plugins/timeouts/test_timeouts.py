"""timeouts: what a block changes of the limits of TCP."""

import asyncio

import pytest

from dnsserver.plugins.timeouts import setup
from dnsserver.transports.limits import DEFAULT_LIMITS, StreamTimeouts
from tests.plugins.helpers import directive, refused, site
from tests.runtime.helpers import server_of
from tests.support.process import free_port
from tests.transports.clients import Streams, closed, read_message, soon, tcp_client
from tests.transports.test_http import GET

#: `example.org. A` without EDNS.
QUESTION = bytes.fromhex("123401000001000000000000076578616d706c65036f72670000010001")
FRAME = len(QUESTION).to_bytes(2, "big") + QUESTION


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("read 10s", StreamTimeouts(read_s=10)),
        ("write 20s", StreamTimeouts(write_s=20)),
        ("idle 1m30s", StreamTimeouts(idle_s=90)),
        ("read 5", StreamTimeouts(read_s=5)),
        ("read 1s\nwrite 24h\nidle 1.5s", StreamTimeouts(read_s=1, write_s=86_400, idle_s=1.5)),
        ("read 10s\nread 12s", StreamTimeouts(read_s=12)),
        ("maxtcpqueries 128", StreamTimeouts(questions=128)),
        ("maxtcpqueries -1", StreamTimeouts(questions=0)),
    ],
)
def test_settings(lines: str, found: StreamTimeouts) -> None:
    assert setup(directive(f"timeouts {{\n{lines}\n}}"), site()).timeouts == found


def test_several_occurrences_add_up() -> None:
    found = setup(directive("timeouts {\nread 5s\n}\ntimeouts {\nidle 6s\nread 7s\n}"), site()).timeouts
    assert found == StreamTimeouts(read_s=7, idle_s=6)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "timeouts 5s",
            "2 - Error during parsing: Wrong argument count or unexpected line ending after '5s'",
        ),
        ("timeouts", "2 - Error during parsing: timeouts block with no timeouts specified"),
        ("timeouts {\n}", "2 - Error during parsing: timeouts block with no timeouts specified"),
        (
            "timeouts {\nread\n}",
            "3 - Error during parsing: Wrong argument count or unexpected line ending after 'read'",
        ),
        (
            "timeouts {\nread 1s 2s\n}",
            "3 - Error during parsing: Wrong argument count or unexpected line ending after '2s'",
        ),
        ("timeouts {\nread soon\n}", "3 - Error during parsing: failed to parse duration 'soon'"),
        (
            "timeouts {\nwrite 500ms\n}",
            "3 - Error during parsing: timeout provided '500ms' needs to be between 1 second and 24 hours",
        ),
        (
            "timeouts {\nidle 25h\n}",
            "3 - Error during parsing: timeout provided '25h0m0s' needs to be between 1 second and 24 hours",
        ),
        ("timeouts {\nlinger 5s\n}", "3 - Error during parsing: unknown option: 'linger'"),
        (
            "timeouts {\nmaxtcpqueries many\n}",
            "3 - Error during parsing: invalid value for maxtcpqueries 'many': "
            'strconv.Atoi: parsing "many": invalid syntax',
        ),
        (
            "timeouts {\nmaxtcpqueries 0\n}",
            "3 - Error during parsing: maxtcpqueries provided '0' needs to be -1 (unlimited) or a positive integer",
        ),
        (
            "timeouts {\nmaxtcpqueries -2\n}",
            "3 - Error during parsing: maxtcpqueries provided '-2' needs to be -1 (unlimited) or a positive integer",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/timeouts: Corefile:{error}"


async def lives(lines: str, act: str) -> float:
    """Seconds until the server closes a connection whose client asks once and then waits ("idle"), or sends the half
    of a question ("read")."""
    port = free_port()
    clock = asyncio.get_running_loop().time
    async with (
        server_of(f".:{port} {{\nbind 127.0.0.1\ntimeouts {{\n{lines}\n}}\nwhoami\n}}"),
        tcp_client("127.0.0.1", port) as (reader, writer),
    ):
        begun = clock()
        writer.write(FRAME if act == "idle" else FRAME[:9])
        if act == "idle":
            await read_message(reader)
        assert await closed(reader) == b""
        return clock() - begun


@pytest.mark.parametrize(("lines", "act"), [("idle 1s\nread 24h", "idle"), ("read 1s\nidle 24h", "read")])
async def test_time_of_a_connection(lines: str, act: str) -> None:
    """By default these take 10 and 3 seconds."""
    assert 0.9 <= await lives(lines, act) < 2.8


async def test_time_to_read_answers() -> None:
    port = free_port()
    text = f".:{port} {{\nbind 127.0.0.1\ntimeouts {{\nwrite 9s\n}}\nwhoami\n}}"
    async with server_of(text) as server:
        (listener,) = server.listeners
        (tcp,) = [part for part in listener._parts if "Tcp" in repr(part)]
        assert tcp._limits.tcp_write_s == 9
        assert tcp._limits.tcp_idle_s == DEFAULT_LIMITS.tcp_idle_s


async def some_questions(streams: Streams, count: int) -> int:
    """How many of *count* questions, sent at once, get a reply before the server closes."""
    reader, writer = streams
    writer.write(FRAME * count)
    answered = 0
    try:
        while True:
            await read_message(reader)
            answered += 1
            if answered == count:
                return answered
    except (asyncio.IncompleteReadError, ConnectionError):
        return answered


@pytest.mark.parametrize(("lines", "answered"), [("maxtcpqueries 3", 3), ("maxtcpqueries -1", 10)])
async def test_questions_of_a_connection(lines: str, answered: int) -> None:
    port = free_port()
    text = f".:{port} {{\nbind 127.0.0.1\ntimeouts {{\n{lines}\n}}\nwhoami\n}}"
    async with server_of(text), tcp_client("127.0.0.1", port) as streams:
        assert await some_questions(streams, 10) == answered


async def test_the_last_block_of_a_listener_counts() -> None:
    port = free_port()
    text = "".join(
        f"{zone}:{port} {{\nbind 127.0.0.1\ntimeouts {{\nmaxtcpqueries {most}\n}}\nwhoami\n}}\n"
        for zone, most in (("one.test", 5), ("example.org", 2))
    )
    async with server_of(text), tcp_client("127.0.0.1", port) as streams:
        assert await some_questions(streams, 10) == 2


async def test_questions_by_http_are_not_numbered() -> None:
    port = free_port()
    text = f"https://.:{port} {{\nbind 127.0.0.1\ntimeouts {{\nmaxtcpqueries 1\n}}\nwhoami\n}}"
    async with server_of(text), tcp_client("127.0.0.1", port) as (reader, writer):
        for _ in range(3):
            writer.write(GET)
            await soon(reader.readuntil(b"max-age=0\r\n"))
