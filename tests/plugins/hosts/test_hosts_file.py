"""hosts: the file changes, breaks and comes back, behind real sockets."""

import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dnsserver.plugins.hosts.file import LINE_MAX, HostsFileError, load, look
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.wire import names
from tests.runtime.helpers import ask, data, eventually, rcode, server_of

ZONES = frozenset([names.ROOT])
COREFILE = """\
.:0 {{
    bind 127.0.0.1
    hosts {file} {{
        reload {reload}
    }}
}}
"""


def server(file: Path, reload: str = "20ms") -> ClusterDnsServer:
    return server_of(COREFILE.format(file=file, reload=reload))


def asking(running: ClusterDnsServer, name: str = "a.example.org") -> Callable[[], Awaitable[list[str]]]:
    async def answers() -> list[str]:
        reply = await ask(running.endpoints[0][1], name)
        return data(reply) or [rcode(reply)]

    return answers


async def test_the_file_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    async with server(file) as running:
        answers = asking(running)
        assert await answers() == ["SERVFAIL"]
        file.write_text("10.0.0.1 a.example.org\n")
        await eventually(answers, ["A 10.0.0.1"])
        file.write_text("10.0.0.2 a.example.org\n")
        await eventually(answers, ["A 10.0.0.2"])


async def test_a_symbolic_link_that_points_elsewhere_is_another_file(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"hosts{number}").write_text(f"10.0.0.{number} a.example.org\n")
        os.utime(tmp_path / f"hosts{number}", (1, 1))
    link = tmp_path / "hosts"
    link.symlink_to("hosts1")
    async with server(link) as running:
        assert await asking(running)() == ["A 10.0.0.1"]
        (tmp_path / "new").symlink_to("hosts2")
        (tmp_path / "new").rename(link)
        await eventually(asking(running), ["A 10.0.0.2"])


async def test_what_cannot_be_read_leaves_what_there_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dnsserver")
    file = tmp_path / "hosts"
    file.write_text("10.0.0.1 a.example.org\n")

    async def told() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name.endswith(".hosts")]

    async with server(file) as running:
        file.unlink()
        gone = f"{file} is not read, what it said before stays: No such file or directory"
        await eventually(told, [gone])
        file.mkdir()
        folder = f"{file} is not read, what it said before stays: it is no regular file"
        await eventually(told, [gone, folder])
        assert await asking(running)() == ["A 10.0.0.1"]
        file.rmdir()
        file.write_text("10.0.0.3 a.example.org\n")
        await eventually(asking(running), ["A 10.0.0.3"])
        assert await told() == [gone, folder, f"{file} can be read again"]


async def test_without_reload_the_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("10.0.0.1 a.example.org\n")
    async with server(file, "0") as running, server(file) as following:
        file.write_text("10.0.0.2 a.example.org\n")
        await eventually(asking(following), ["A 10.0.0.2"])
        assert await asking(running)() == ["A 10.0.0.1"]


async def test_lines_that_say_nothing_are_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dnsserver")
    file = tmp_path / "hosts"
    file.write_text("10.0.0.1 a.example.org\n" + "10.0.0.300 b\n" * 5)
    async with server(file) as running:
        assert await asking(running)() == ["A 10.0.0.1"]
    expected = f"{file}: lines that are not an address and names are left out: 2, 3, 4 and 2 more"
    assert expected in [record.getMessage() for record in caplog.records]


def test_only_regular_files_of_a_reasonable_size(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 30)
    for name, reason in (("pipe", "no regular file"), ("huge", "1073741824 octets"), ("none", "No such")):
        with pytest.raises(HostsFileError, match=reason):
            look(str(tmp_path / name))


@pytest.mark.parametrize("more", [0, 1, LINE_MAX])
def test_a_line_without_end_is_skipped(more: int, tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"10.0.0.1 a\n" + b"x" * (LINE_MAX + more) + b" 10.0.0.2 b\n10.0.0.3 c\n")
    loaded = load(str(file), ZONES, reverse=True)
    assert (loaded.table.entries, loaded.unread.first) == (4, [2])
