"""Plugin `auto` on real sockets: files that come, change and go."""

from pathlib import Path

import pytest

from dnsserver.plugins.auto import setup
from dnsserver.plugins.auto.settings import AutoSettings
from dnsserver.wire import names
from tests.plugins.helpers import directive, refused
from tests.runtime.helpers import ask, data, eventually, rcode, server_of

ZONE = "$TTL 300\n@ SOA ns host {serial} 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.{last}\n"

COUNT = "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after"


def write(path: Path, last: int = 1, serial: int = 1) -> None:
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_name("fresh")
    fresh.write_text(ZONE.format(serial=serial, last=last))
    fresh.rename(path)


def corefile(*options: str, zones: str = "", block: str = ".") -> str:
    lines = "\n".join(options or ("directory zones",))
    return f"{block}:0 {{\n bind 127.0.0.1\n auto {zones} {{\n{lines}\nreload 50ms\n}}\n}}\n"


async def answers(port: int, name: str) -> tuple[str, list[str]]:
    reply = await ask(port, name)
    return rcode(reply), data(reply)


async def test_files_come_change_and_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    zones = tmp_path / "zones"
    write(zones / "db.example.org")
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        assert await answers(port, "www.example.org.") == ("NOERROR", ["A 192.0.2.1"])
        assert await answers(port, "www.example.net.") == ("REFUSED", [])
        write(zones / "db.example.net", 2)
        await eventually(lambda: answers(port, "www.example.net."), ("NOERROR", ["A 192.0.2.2"]))
        write(zones / "db.example.net", 3, serial=2)
        await eventually(lambda: answers(port, "www.example.net."), ("NOERROR", ["A 192.0.2.3"]))
        (zones / "db.example.org").unlink()
        await eventually(lambda: answers(port, "www.example.org."), ("REFUSED", []))
    assert f"Inserting zone `example.net.' from: {zones}/db.example.net" in caplog.messages
    assert "Deleting zone `example.org.'" in caplog.messages


async def test_folder_that_comes_late(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        assert f"Directory does not exist: {tmp_path}/zones" in caplog.messages
        write(tmp_path / "zones" / "db.example.org")
        await eventually(lambda: answers(port, "www.example.org."), ("NOERROR", ["A 192.0.2.1"]))


async def test_broken_file_leaves_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    zones = tmp_path / "zones"
    write(zones / "db.example.org")
    (zones / "db.example.net").write_text("nonsense\n")
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        assert await answers(port, "www.example.org.") == ("NOERROR", ["A 192.0.2.1"])
        path = zones / "db.example.net"
        error = f'failed to parse file "{path}" for origin example.net. with error {path}:1: no type'
        assert f"Parse zone `example.net.': {error}" in caplog.messages
        write(zones / "db.example.net", 4)
        await eventually(lambda: answers(port, "www.example.net."), ("NOERROR", ["A 192.0.2.4"]))


async def test_only_names_in_its_zones(tmp_path: Path) -> None:
    write(tmp_path / "zones" / "db.example.org")
    write(tmp_path / "zones" / "db.example.net")
    async with server_of(corefile(zones="example.org"), tmp_path) as server:
        port = server.endpoints[0][1]
        assert (await answers(port, "www.example.org."))[0] == "NOERROR"
        assert (await answers(port, "www.example.net."))[0] == "SERVFAIL"


async def test_volume_of_a_config_map(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every file is there twice, which is no reason for a warning."""
    volume = tmp_path / "zones"
    write_into = volume / "..2026"
    write_into.mkdir(parents=True)
    write(write_into / "db.example.org")
    (volume / "..data").symlink_to("..2026")
    (volume / "db.example.org").symlink_to("..data/db.example.org")
    async with server_of(corefile(), tmp_path) as server:
        assert (await answers(server.endpoints[0][1], "www.example.org."))[0] == "NOERROR"
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


async def test_two_files_for_one_zone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    zones = tmp_path / "zones"
    write(zones / "db.example.org", 1)
    write(zones / "more" / "db.example.org", 2)
    async with server_of(corefile(), tmp_path) as server:
        assert await answers(server.endpoints[0][1], "www.example.org.") == ("NOERROR", ["A 192.0.2.1"])
    first, second = zones / "db.example.org", zones / "more" / "db.example.org"
    text = f'Multiple zone files match origin "example.org.": using "{first}" instead of "{second}"'
    assert text in caplog.messages


@pytest.mark.parametrize(
    ("options", "file", "origin"),
    [
        ("zones", "db.example.org", "example.org."),
        ("zones", "old-db.Example.org", "example.org."),
        ("zones", "example.org.db", None),
        ("zones", "db.", None),
        ("zones", "db.a..b", None),
        (r"zones (.*)\.zone {1}", "example.org.zone", "example.org."),
        (r"zones (?P<name>.*)\.zone {name}.test", "a.zone", "a.test."),
        (r"zones (.)-(.) {2}.{1}", "a-b", "b.a."),
    ],
)
def test_origin_of_a_file(options: str, file: str, origin: str | None, tmp_path: Path) -> None:
    settings = AutoSettings.from_directive(directive(f"auto {{\ndirectory {options}\n}}"), (".",), tmp_path)
    assert settings.origin_of(file) == (None if origin is None else names.from_text(origin))


def test_defaults(tmp_path: Path) -> None:
    settings = AutoSettings.from_directive(directive("auto {\ndirectory zones\n}"), ("a.",), tmp_path)
    assert (settings.reload_s, settings.directory) == (60.0, tmp_path / "zones")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("nope", "Corefile:3 - Error during parsing: unknown property 'nope'"),
        (
            "directory",
            f"{COUNT} 'directory'",
        ),
        (
            "directory a (.) b c",
            f"{COUNT} 'c'",
        ),
        (
            "directory a (.)",
            f"{COUNT} '(.)'",
        ),
        ("directory a b {1}", "Corefile:3 - Error during parsing: Need at least one sub expression"),
        ("directory a ( {1}", "error parsing regexp: missing ): ( (Corefile:3)"),
        (f"directory a {'x' * 10_001} b", "Corefile:3 - Error during parsing: regexp too large"),
        ("reload", "reload duration value is expected (Corefile:3)"),
        ("reload -1s", "invalid duration (Corefile:3)"),
        ("reload 1", 'time: missing unit in duration "1" (Corefile:3)'),
    ],
)
def test_refused(line: str, error: str, tmp_path: Path) -> None:
    assert refused(setup, f"auto {{\n{line}\n}}", tmp_path) == f"plugin/auto: {error}"
