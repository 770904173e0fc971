"""reload: when it looks, what it begins, and what it tells."""

import asyncio
import logging
from dataclasses import dataclass, field, replace

import pytest

from dnsserver.config import ConfigError
from dnsserver.observability.families import Family
from dnsserver.plugins.plugin import Plugin
from dnsserver.plugins.reload.watching import Watch
from tests.plugins.helpers import FakeServer

#: Seconds between two looks.
PERIOD_S = 0.01


@dataclass
class Configuration:
    """Looks find what is `there`, if it is no error. `looked` is set by each."""

    digest: str = "1"
    tried: str = "1"
    failures: int = 0
    there: str | ConfigError = "1"
    begun: list[str] = field(default_factory=list)
    looks: int = 0

    def look(self) -> str:
        self.looks += 1
        if isinstance(self.there, ConfigError):
            raise self.there
        return self.there

    def begin(self, digest: str) -> None:
        self.tried = digest
        self.begun.append(digest)

    async def some_looks(self) -> None:
        seen = self.looks
        async with asyncio.timeout(10):
            while self.looks < seen + 3:  # noqa: ASYNC110 - they are counted in a thread
                await asyncio.sleep(PERIOD_S)


def watched(configuration: Configuration, *, blocks: int = 1) -> list[Watch]:
    """The watches of a server in which that many blocks say `reload`."""
    server = FakeServer(configuration=configuration)
    watches = [Watch(server, PERIOD_S) for _ in range(blocks)]
    server.members = tuple(Plugin(name="reload", running=watch.tell) for watch in watches)
    return watches


async def test_change_is_begun_once() -> None:
    configuration = Configuration()
    (watch,) = watched(configuration)
    async with watch.following():
        await configuration.some_looks()
        assert configuration.begun == []
        configuration.there = "2"
        await configuration.some_looks()
        assert configuration.begun == ["2"], "tried again, though nothing has changed since"
        configuration.there = "3"
        await configuration.some_looks()
        configuration.there = "1"  # what runs, as the others could not be served
        await configuration.some_looks()
    assert configuration.begun == ["2", "3", "1"]


async def test_file_without_form_is_told_and_not_begun(caplog: pytest.LogCaptureFixture) -> None:
    configuration = Configuration(there=ConfigError("Corefile:1 - Error during parsing: Unexpected EOF"))
    (watch,) = watched(configuration)
    async with watch.following():
        await configuration.some_looks()
        configuration.there = "2"
        await configuration.some_looks()
    assert configuration.begun == ["2"]
    said = {(record.levelno, record.getMessage()) for record in caplog.records}
    text = "Corefile parse failed: Corefile:1 - Error during parsing: Unexpected EOF"
    assert said == {(logging.WARNING, text)}


async def test_one_of_several_blocks_looks(caplog: pytest.LogCaptureFixture) -> None:
    configuration = Configuration()
    first, last = watched(configuration, blocks=2)
    with caplog.at_level(logging.INFO):
        async with first.following():
            await asyncio.sleep(5 * PERIOD_S)
            assert configuration.looks == 0
        for watch in (first, last):
            watch.tell()
    assert [record.getMessage() for record in caplog.records] == ["Running configuration SHA512 = 1"]
    assert list(first.families()) == []
    async with last.following():
        await configuration.some_looks()


async def test_server_that_stops_begins_nothing() -> None:
    configuration = Configuration(there="2")
    (watch,) = watched(configuration)
    server = watch._server
    assert isinstance(server, FakeServer)
    server.stops = True
    async with watch.following():
        await asyncio.sleep(5 * PERIOD_S)
    assert configuration.begun == []


def test_metrics() -> None:
    configuration = Configuration(tried="2", failures=3)
    (watch,) = watched(configuration)
    shown = {family.name: family.samples for family in watch.families() if isinstance(family, Family)}
    assert shown == {
        "coredns_reload_failed_total": (((), 3.0),),
        "coredns_reload_version_info": ((("sha512", "2"), 1.0),),
    }
    (elsewhere,) = watched(replace(configuration, digest="", tried=""))
    assert list(elsewhere.families()) == []
