"""What readers know of the content as a whole, and what a restart makes of it."""

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import lmdb
import pytest

from dnsserver.store.lmdb import StoreReader, StoreWriter, session
from dnsserver.store.lmdb.writing import GATHER_S
from dnsserver.zone.cluster import Standing
from dnsserver.zone.objects import Feed, ObjectKey, Service
from tests.store.lmdb.peers import FINGERPRINT, NOW, Clock, Peer, Told, complete, reading, writer_of
from tests.zone.histories import NAMES

ALL = frozenset(Feed)
A = ObjectKey("x", "a")


def test_no_store_yet(tmp_path: Path) -> None:
    reader = StoreReader(tmp_path / "later", {Feed.SERVICES})
    told = Told(reader.state)
    for _ in range(2):
        reader.refresh()
        reader.beat()
        assert not reader.state.synced
        assert reader.state.waiting_for == ["services"]
        assert reader.state.service(A) is None
        assert reader.generation == 0
    assert told.take() == []
    assert repr(reader) == f"<StoreReader {tmp_path / 'later'}: generation=0>"


def test_a_store_without_its_other_files_is_no_store_yet(tmp_path: Path) -> None:
    for name in ("generation", "data.mdb", "lock.mdb"):
        (tmp_path / name).write_bytes(b"")
        reader = StoreReader(tmp_path)
        assert not reader.state.synced


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    state = StoreReader(tmp_path).state
    acts: list[Callable[[], None]] = [
        lambda: state.replace(Feed.SERVICES, [], NOW),
        lambda: state.put(Feed.SERVICES, Service(A), NOW),
        lambda: state.drop(Feed.SERVICES, A, NOW),
        lambda: state.mark_stale(Feed.SERVICES, "lost"),
        lambda: state.mark_fresh(Feed.SERVICES),
    ]
    for act in acts:
        with pytest.raises(TypeError, match="only the writer"):
            act()


def test_feeds_as_they_come(tmp_path: Path) -> None:
    with Peer(reading, tmp_path) as reader:
        assert reader.ask("standing") == (0, Standing(0), [])
        writer = writer_of(tmp_path)
        assert reader.ask("standing") == (1, Standing(int(NOW)), [None])
        writer.state.replace(Feed.SERVICES, [], NOW)
        writer.commit()
        synced = frozenset({Feed.SERVICES})
        assert reader.ask("standing") == (2, Standing(int(NOW), synced), [None])
        complete(writer.state)
        writer.commit()
        assert reader.ask("standing") == (3, Standing(int(NOW), ALL), [None])
        writer.state.mark_stale(Feed.PODS, "the watch is lost")
        writer.commit()
        stale = {Feed.PODS: "the watch is lost"}
        assert reader.ask("standing") == (4, Standing(int(NOW), ALL, stale=stale), [])
        writer.state.mark_fresh(Feed.PODS)
        writer.commit()
        writer.commit()
        assert reader.ask("standing") == (5, Standing(int(NOW), ALL), [])
        writer.close()


def test_a_restart_takes_over(tmp_path: Path) -> None:
    clock = Clock()
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path, clock)
        complete(writer.state)
        writer.state.put(Feed.SERVICES, Service(A, cluster_ips=("10.0.0.1",)), NOW + 5)
        writer.close()
        clock.now += 60
        writer = writer_of(tmp_path, clock)
        state = writer.state
        told = Told(state)
        assert (state.synced, state.restored, state.waiting_for) == (True, True, [])
        assert state.serial == NOW + 5
        assert state.service(A) == Service(A, cluster_ips=("10.0.0.1",))
        assert reader.ask("standing")[1] == Standing(int(NOW) + 5, ALL, restored=ALL)
        for feed in ALL - {Feed.NAMESPACES}:
            state.replace(feed, [Service(A)] if feed is Feed.SERVICES else [], NOW + 70)
            assert state.restored
        assert told.take() == [frozenset({A})]
        state.replace(Feed.NAMESPACES, [], NOW + 70)
        assert told.take() == [None]
        assert (state.synced, state.restored) == (True, False)
        writer.commit()
        assert reader.ask("standing")[1:] == (Standing(int(NOW) + 70, ALL), [None])
        writer.close()


def test_the_age_is_that_of_the_last_time_when_all_was_fresh(tmp_path: Path) -> None:
    clock = Clock()
    writer = writer_of(tmp_path, clock)
    complete(writer.state)
    writer.commit()
    clock.now += 100
    writer.touch()
    clock.now += 100
    writer.state.mark_stale(Feed.PODS, "the watch is lost")
    writer.touch()
    clock.now += 100
    writer.touch()
    writer.state.put(Feed.SERVICES, Service(A), NOW)
    writer.close()
    for max_age_s, taken in ((200, True), (199, False)):
        writer = writer_of(tmp_path, clock, max_age_s)
        assert writer.state.restored == taken
        writer.close()


def test_what_was_never_complete_is_not_taken_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = writer_of(tmp_path)
    writer.state.replace(Feed.SERVICES, [Service(A)], NOW)
    writer.close()
    writer = writer_of(tmp_path)
    assert not writer.state.restored
    assert writer.state.count(Feed.SERVICES) == 0
    assert "it was never complete" in caplog.text
    writer.close()


@pytest.mark.parametrize("lists", [(), (Feed.SERVICES,), tuple(Feed)])
def test_a_replaced_writer_leaves_what_there_is(tmp_path: Path, lists: tuple[Feed, ...]) -> None:
    """However old, and never complete: what had no list is not said to have had one."""
    clock = Clock()
    writer = writer_of(tmp_path, clock)
    writer.state.put(Feed.SERVICES, Service(A), NOW)
    for feed in lists:
        writer.state.replace(feed, [Service(A)] if feed is Feed.SERVICES else [], NOW)
    writer.close()
    clock.now += 1e9
    writer = writer_of(tmp_path, clock, math.inf)
    assert writer.state.standing == Standing(int(NOW), frozenset(lists), frozenset(lists))
    assert writer.state.service(A) == Service(A)
    complete(writer.state)
    assert not writer.state.restored
    writer.close()


def test_a_store_that_cannot_be_opened_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried on, and nobody is told of an error meanwhile; the source lists again when it is open."""
    writer = writer_of(tmp_path)
    complete(writer.state)
    writer.commit()

    def broken(*_: object, **__: object) -> NoReturn:
        raise lmdb.Error("no descriptor is left")

    with monkeypatch.context() as patch:
        patch.setattr(session, "open_environment", broken)
        patch.setattr(writer._session, "commit", broken)
        writer.state.put(Feed.SERVICES, Service(A), NOW)
        writer.commit()
        assert writer.failed.is_set()
        assert "the store cannot be opened again: no descriptor is left" in caplog.text
        for _ in range(2):
            complete(writer.state)
            writer.state.put(Feed.SERVICES, Service(A), NOW)
            writer.touch()
            assert set(writer.state.stale) == ALL
    writer.failed.clear()
    writer.commit()
    assert writer.failed.is_set()
    assert set(writer.state.stale) == ALL
    assert writer.state.has_namespace("x")
    complete(writer.state)
    writer.state.put(Feed.SERVICES, Service(A), NOW)
    writer.commit()
    assert (writer.outage, writer.state.stale) == ("", {})
    writer.close()
    reader = StoreReader(tmp_path)
    assert reader.state.service(A) == Service(A)
    reader.close()


def test_a_store_that_stays_closed_can_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_of(tmp_path)

    def broken(*_: object, **__: object) -> NoReturn:
        raise lmdb.Error("no descriptor is left")

    monkeypatch.setattr(session, "open_environment", broken)
    monkeypatch.setattr(writer._session, "commit", broken)
    complete(writer.state)
    writer.commit()
    writer.close()


def test_touching_is_no_generation(tmp_path: Path) -> None:
    clock = Clock()
    writer = writer_of(tmp_path, clock)
    complete(writer.state)
    writer.commit()
    generation = writer.generation
    clock.now += 60
    writer.touch()
    assert writer.generation == generation
    assert repr(writer) == f"<StoreWriter {tmp_path}: generation={generation}>"
    writer.close()


async def test_an_idle_writer_commits_at_the_end_of_the_turn(tmp_path: Path) -> None:
    writer = writer_of(tmp_path)
    complete(writer.state)
    await asyncio.sleep(2 * GATHER_S)
    generation = writer.generation
    await asyncio.sleep(2 * GATHER_S)
    assert writer.generation == generation, "nothing has changed"
    for name in NAMES:
        writer.state.put(Feed.SERVICES, Service(ObjectKey("x", name)), NOW)
    assert writer.generation == generation
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert writer.generation == generation + 1
    writer.close()


async def test_changes_without_end_are_gathered(tmp_path: Path) -> None:
    writer = writer_of(tmp_path)
    complete(writer.state)
    writer.commit()
    generation, begun = writer.generation, time.monotonic()
    for number in range(500):
        writer.state.put(Feed.SERVICES, Service(A, external_name=f"{number}."), NOW)
        await asyncio.sleep(0.0005)
    assert generation < writer.generation <= generation + 2 + (time.monotonic() - begun) / GATHER_S
    writer.close()


def test_other_feeds_are_another_configuration(tmp_path: Path) -> None:
    for feeds, restored in (({Feed.SERVICES}, False), ({Feed.SERVICES}, True), (ALL, False)):
        writer = StoreWriter(tmp_path, feeds, fingerprint=FINGERPRINT, max_age_s=60, now=Clock())
        assert writer.state.restored == restored
        for feed in feeds:
            writer.state.replace(feed, [], NOW)
        writer.close()
