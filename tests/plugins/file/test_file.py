"""Plugin `file` on real sockets: what it reads, when it reads it again, and what it refuses."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from dnsserver.config import ConfigError
from dnsserver.plugins.file import setup
from dnsserver.plugins.zone_files import ZoneFile
from dnsserver.sources.zonefile import ZoneFileError, load_zone
from dnsserver.wire import names
from tests.plugins.helpers import refused
from tests.runtime.helpers import ask, data, eventually, rcode, server_of

HEAD = "$TTL 300\n@ SOA ns host {serial} 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"
ORIGIN = names.from_text("example.org.")


def write(folder: Path, body: str = "www A 192.0.2.1\n", serial: int = 1, name: str = "db") -> Path:
    path = folder / name
    fresh = folder / f"{name}.new"
    fresh.write_text(HEAD.format(serial=serial) + body)
    fresh.rename(path)
    return path


def corefile(*options: str, zones: str = "", behind: str = "", block: str = "example.org") -> str:
    lines = "\n".join(options)
    return f"{block}:0 {{\n bind 127.0.0.1\n file db {zones} {{\n{lines}\n}}\n{behind}\n}}\n"


async def answers(port: int, name: str, rtype: str = "A") -> tuple[str, list[str]]:
    reply = await ask(port, name, rtype)
    return rcode(reply), data(reply)


async def test_serves_the_zones_of_the_block(tmp_path: Path) -> None:
    write(tmp_path)
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        assert await answers(port, "www.example.org.") == ("NOERROR", ["A 192.0.2.1"])
        assert await answers(port, "nope.example.org.") == ("NXDOMAIN", [])
        assert rcode(await ask(port, "example.org.", "AXFR", tcp=True)) == "REFUSED"


async def test_serves_the_zones_that_it_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    async with server_of(corefile(zones="a.test b.test", block="."), tmp_path) as server:
        port = server.endpoints[0][1]
        for zone in ("a.test.", "b.test."):
            assert await answers(port, f"www.{zone}") == ("NOERROR", ["A 192.0.2.1"])
        assert await answers(port, "www.example.org.") == ("REFUSED", [])


async def test_fallthrough(tmp_path: Path) -> None:
    """To whoami, whose answer is empty; in one of the zones only."""
    write(tmp_path, "www A 192.0.2.1\na.b A 192.0.2.2\n")
    text = corefile("fallthrough a.test", zones="a.test b.test", block=".", behind="whoami")
    async with server_of(text, tmp_path) as server:
        port = server.endpoints[0][1]
        assert await answers(port, "nope.b.test.") == ("NXDOMAIN", [])
        assert await answers(port, "nope.a.test.") == ("NOERROR", [])
        assert [item.name.to_text() for item in (await ask(port, "b.a.test.")).additional]  # an empty name
        assert await answers(port, "www.a.test.", "MX") == ("NOERROR", [])
        assert (await ask(port, "www.a.test.", "MX")).authority


async def test_reads_again_when_the_serial_changes(tmp_path: Path) -> None:
    write(tmp_path)
    async with server_of(corefile("reload 50ms"), tmp_path) as server:
        port = server.endpoints[0][1]
        assert await answers(port, "www.example.org.") == ("NOERROR", ["A 192.0.2.1"])
        write(tmp_path, "www A 192.0.2.2\n", serial=2)
        await eventually(lambda: answers(port, "www.example.org."), ("NOERROR", ["A 192.0.2.2"]))


async def test_serial_decides(tmp_path: Path) -> None:
    """What follows the SOA record is not even read."""
    file = ZoneFile(ORIGIN, write(tmp_path), 1.0)
    assert load_zone(file.path, ORIGIN) is not None
    write(tmp_path, "broken\n", serial=1)
    assert load_zone(file.path, ORIGIN, unless_serial=1) is None
    with pytest.raises(ZoneFileError):
        load_zone(file.path, ORIGIN, unless_serial=2)


async def test_reload_by_mtime(tmp_path: Path) -> None:
    path = write(tmp_path)
    async with server_of(corefile("reload 50ms", "reload_by_mtime"), tmp_path) as server:
        port = server.endpoints[0][1]
        write(tmp_path, "www A 192.0.2.2\n", serial=1)
        later = path.stat().st_mtime + 5
        os.utime(path, (later, later))
        await eventually(lambda: answers(port, "www.example.org."), ("NOERROR", ["A 192.0.2.2"]))


async def test_reload_never(tmp_path: Path) -> None:
    write(tmp_path)
    async with server_of(corefile("reload 0"), tmp_path) as server:

        async def watching() -> list[str]:
            return [task for task in _tasks() if "file:" in task and "db" in task]

        await eventually(watching, [])  # the one that reads it first ends
        assert (await answers(server.endpoints[0][1], "www.example.org."))[0] == "NOERROR"


def _tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if not task.done()]


async def test_broken_file_leaves_the_zone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path)
    async with server_of(corefile("reload 50ms"), tmp_path) as server:
        port = server.endpoints[0][1]
        path = write(tmp_path, "www A 10.0.0\n", serial=2)
        wanted = (
            f'Parsing zone "example.org.": failed to parse file "{path}" for origin example.org. with error '
        )

        async def logged() -> bool:
            return any(
                record.getMessage() == f"{wanted}{path}:5: '10.0.0' is no IPv4 address"
                and record.levelno == logging.ERROR
                for record in caplog.records
            )

        await eventually(logged, True)
        assert await answers(port, "www.example.org.") == ("NOERROR", ["A 192.0.2.1"])
        write(tmp_path, "www A 192.0.2.3\n", serial=3)
        await eventually(lambda: answers(port, "www.example.org."), ("NOERROR", ["A 192.0.2.3"]))


async def test_file_that_comes_late(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with server_of(corefile("reload 50ms"), tmp_path) as server:
        port = server.endpoints[0][1]
        assert await answers(port, "www.example.org.") == ("SERVFAIL", [])
        error = f'Failed to open "open {tmp_path}/db: no such file or directory": trying again in 50ms'
        assert error in caplog.messages
        write(tmp_path)
        await eventually(lambda: answers(port, "www.example.org."), ("NOERROR", ["A 192.0.2.1"]))


async def test_alias_to_another_zone(tmp_path: Path) -> None:
    """Through the whole server: its other blocks too."""
    write(tmp_path, "out CNAME www.other.test.\nmiss CNAME nope.other.test.\nno CNAME www.nobody.\n")
    write(tmp_path, "www A 192.0.2.9\n", name="other")
    other = "other.test:0 {\n bind 127.0.0.1\n file other\n}\n"
    async with server_of(corefile() + other, tmp_path) as server:
        port = server.endpoints[0][1]
        reply = await ask(port, "out.example.org.")
        assert data(reply) == ["CNAME www.other.test.", "A 192.0.2.9"]
        missing = await ask(port, "miss.example.org.")
        assert (rcode(missing), data(missing)) == ("NXDOMAIN", ["CNAME nope.other.test."])
        assert missing.authority[0].name.to_text() == "other.test."
        assert await answers(port, "no.example.org.") == ("NOERROR", ["CNAME www.nobody."])


async def test_directives_of_master_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "part").write_text("inner A 192.0.2.4\n$INCLUDE deeper\n")
    (tmp_path / "sub" / "deeper").write_text("$ORIGIN d.example.org.\ninnermost 5 A 192.0.2.5\n")
    body = (
        "www ( IN 60 ; comment\n  A 192.0.2.1 )\n    AAAA 2001:db8::1\n"
        "$INCLUDE sub/part in.example.org.\nback A 192.0.2.6\n"
        "$GENERATE 1-3/2 host${10,3,x} A 192.0.2.$\n$ORIGIN low\nname A 192.0.2.7\n"
    )
    write(tmp_path, body)
    wanted = {
        "www A": ["A 192.0.2.1"],
        "www AAAA": ["AAAA 2001:db8::1"],
        "inner.in A": ["A 192.0.2.4"],
        "innermost.d A": ["A 192.0.2.5"],
        "back A": ["A 192.0.2.6"],
        "host00b A": ["A 192.0.2.1"],
        "host00d A": ["A 192.0.2.3"],
        "host00c A": [],
        "name.low A": ["A 192.0.2.7"],
    }
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        for question, found in wanted.items():
            name, rtype = question.split()
            assert (await answers(port, f"{name}.example.org.", rtype))[1] == found, question


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "file",
            "plugin/file: Corefile:2 - Error during parsing: "
            "Wrong argument count or unexpected line ending after 'file'",
        ),
        ("file db {\nnope\n}", "plugin/file: Corefile:3 - Error during parsing: unknown property 'nope'"),
        ("file db {\nreload\n}", "plugin/file: reload duration value is expected (Corefile:3)"),
        ("file db {\nreload 30\n}", 'plugin/file: time: missing unit in duration "30" (Corefile:3)'),
        ("file db {\nreload -1s\n}", "plugin/file: invalid duration (Corefile:3)"),
        ("file db {\nreload 0\n}", "plugin/file: open {folder}/db: no such file or directory"),
    ],
)
def test_refused(text: str, error: str, tmp_path: Path) -> None:
    assert refused(setup, text, tmp_path) == error.format(folder=tmp_path)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("www A 10.0.0\n", ":5: '10.0.0' is no IPv4 address"),
        ("a TXT (\n", ":5: '(' is never closed"),
        ("$NOPE 1\n", ":5: unknown directive '$NOPE'"),
        ("$TTL\n", ":5: wrong number of arguments for $TTL"),
        ("$INCLUDE nope\n", ":5: $INCLUDE nope: No such file or directory"),
        ("$INCLUDE db\n", ":5: files include each other more than 7 deep"),
        ("$GENERATE 1-x a A 192.0.2.$\n", ":5: '1-x' is no range: START-STOP or START-STOP/STEP"),
        ("$GENERATE 3-1 a A 192.0.2.$\n", ":5: '3-1' is no range: STOP is at least START, STEP at least 1"),
        ("$GENERATE 0-99999 a A 192.0.2.$\n", ":5: '0-99999' makes more than 65536 records"),
        ("$GENERATE 1-2 a${0,200} A 192.0.2.$\n", ":5: ${0,200} is not possible for 1"),
    ],
)
def test_broken_file_ends_the_start(body: str, error: str, tmp_path: Path) -> None:
    path = write(tmp_path, body)
    prefix = f'plugin/file: failed to parse file "{path}" for origin example.org. with error {path}'
    with pytest.raises(ConfigError) as caught:
        server_of(corefile(), tmp_path)
    assert str(caught.value) == prefix + error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", 'file "{path}" has no SOA record for origin example.org.'),
        ("other.test. 5 SOA a. b. 1 2 3 4 5\n", 'file "{path}" has no SOA record for origin example.org.'),
        (
            "@ A 192.0.2.1\n",
            'failed to parse file "{path}" for origin example.org. with error {path}:1: '
            "no TTL, and none before it: put $TTL in front",
        ),
    ],
)
def test_no_zone(text: str, error: str, tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_text(text)
    with pytest.raises(ZoneFileError) as caught:
        load_zone(path, ORIGIN)
    assert str(caught.value) == error.format(path=path)


def test_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ZoneFileError, match="is no regular file"):
        load_zone(tmp_path / "pipe", ORIGIN)


def test_what_was_read_is_shared_while_it_is_current(tmp_path: Path) -> None:
    path = write(tmp_path)
    first, second = load_zone(path, ORIGIN), load_zone(path, ORIGIN)
    assert first is not None
    assert second is not None
    assert first.zone is second.zone
    write(tmp_path, "www A 192.0.2.77\n")
    third = load_zone(path, ORIGIN)
    assert third is not None
    assert third.zone is not first.zone
