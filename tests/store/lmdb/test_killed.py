"""Writers and readers that are killed at any moment, and the map that grows under all of them."""

import time
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest

from dnsserver.store.lmdb import StoreReader, StoreWriter, session
from dnsserver.zone.cluster import Standing
from dnsserver.zone.objects import Endpoint, EndpointSlice, Feed, ObjectKey, Port, Service
from tests.store.lmdb.peers import NOW, Clock, Peer, complete, reading, writer_of
from tests.zone.histories import NAMES, picture

#: Services that always have the same number in them.
SAME = [ObjectKey("x", f"s{number}") for number in range(40)]


def writing(connection: Connection, folder: Path) -> None:
    """A writer that never rests, and tells of its start."""
    writer = writer_of(folder)
    connection.send((writer.state.restored, numbers_in(writer.state.services())))
    complete(writer.state)
    for number in count():
        for key in SAME:
            writer.state.put(Feed.SERVICES, Service(key, ports=(Port("", "tcp", number % 65_536),)), NOW)
        writer.commit()


def numbers_in(services: object) -> set[int]:
    assert hasattr(services, "__iter__")
    return {service.ports[0].number for service in services}


@pytest.mark.parametrize("seed", range(2))
def test_a_writer_is_killed(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    with Peer(following, tmp_path) as reader:
        for run in range(8):
            with Peer(writing, tmp_path) as writer:
                restored, numbers = writer.receive()
                assert restored == (run > 0)
                assert len(numbers) == (run > 0)
                time.sleep(rng.random() * 0.1)
                reader.send("wait")
                if rng.random() < 0.7:
                    assert reader.receive() == "seen"
                    writer.kill()
                else:
                    writer.kill()
                    reader.receive()
    # What the last of them left is whole.
    left = writer_of(tmp_path)
    assert left.state.restored
    assert len(numbers_in(left.state.services())) == 1
    left.close()


def following(connection: Connection, folder: Path) -> None:
    """A reader that sees the same number in all Services, whatever becomes of the writers."""
    reader = StoreReader(folder)
    while connection.recv() == "wait":
        generation, until = reader.generation, time.monotonic() + 1
        while reader.generation == generation and time.monotonic() < until:
            reader.beat()
            assert len(numbers_in(reader.state.services())) <= 1
        for _ in range(20):
            reader.refresh()
            assert len(numbers_in(reader.state.services())) <= 1
        connection.send("seen")


def large(number: int) -> EndpointSlice:
    endpoints = (Endpoint(f"10.{number}.{last >> 8}.{last & 255}", f"host-{number}") for last in range(400))
    return EndpointSlice(ObjectKey("x", f"w-{number}"), "a", tuple(endpoints))


def test_a_killed_reader_keeps_no_pages(tmp_path: Path) -> None:
    data = tmp_path / "data.mdb"
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path)
        complete(writer.state)
        writer.commit()
        reader.ask("standing")

        def churn() -> int:
            for number in range(40):
                writer.state.put(Feed.ENDPOINT_SLICES, large(number % 2), NOW)
                writer.state.drop(Feed.ENDPOINT_SLICES, large(1 - number % 2).key, NOW)
                writer.commit()
            return data.stat().st_size

        held = churn()
        assert churn() > held, "a reader that does not go on keeps what it sees"
        reader.kill()
        writer.touch()
        churn()
        freed = data.stat().st_size
        for _ in range(3):
            assert churn() == freed
        writer.close()


def test_the_map_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FIRST_MAP_SIZE", 256 * 1024)
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path)
        complete(writer.state)
        writer.commit()
        reader.ask("standing")
        for number in range(60):
            writer.state.put(Feed.ENDPOINT_SLICES, large(number), NOW)
            if number % 7 == 0:
                writer.commit()
                assert reader.ask(NAMES)[1]["slices"] == {
                    ObjectKey(namespace, name): writer.state.slices_of(ObjectKey(namespace, name))
                    for namespace in ("x", "y")
                    for name in NAMES
                }
        assert (tmp_path / "data.mdb").stat().st_size > 4 * 256 * 1024
        assert writer.outage == ""
        writer.close()
        writer = writer_of(tmp_path)
        assert writer.state.restored
        assert len(writer.state.slices_of(ObjectKey("x", "a"))) == 60
        writer.close()


def test_the_map_grows_with_one_large_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FIRST_MAP_SIZE", 64 * 1024)
    writer = writer_of(tmp_path)
    writer.state.replace(Feed.ENDPOINT_SLICES, [large(number) for number in range(40)], NOW)
    writer.commit()
    assert len(writer.state.slices_of(ObjectKey("x", "a"))) == 40
    assert list(writer.state.slices_at(bytes((10, 7, 0, 5)))) == [large(7)]
    writer.close()


def test_the_store_is_replaced_under_a_reader(tmp_path: Path) -> None:
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path)
        complete(writer.state)
        writer.close()
        assert reader.ask("standing")[1].synced == frozenset(Feed)
        (tmp_path / "data.mdb").unlink()
        assert reader.ask("standing")[1].synced == frozenset(Feed), "better an old one than none"
        writer = writer_of(tmp_path)
        assert not writer.state.restored
        assert reader.ask("standing")[1].synced == frozenset(Feed), "better an old one than an empty one"
        complete(writer.state)
        writer.commit()
        assert reader.ask("standing") == (writer.generation, writer.state.standing, [None])
        writer.state.put(Feed.SERVICES, Service(SAME[0]), NOW)
        writer.commit()
        told, _ = reader.ask(NAMES)
        assert told == [frozenset({SAME[0]})]
        writer.close()


def test_a_store_that_begins_anew_is_taken_when_it_is_complete(tmp_path: Path) -> None:
    a = ObjectKey("x", "a")
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path)
        complete(writer.state)
        writer.state.put(Feed.SERVICES, Service(a, cluster_ips=("10.0.0.1",)), NOW)
        before = picture(writer.state)
        writer.close()
        reader.ask("standing")
        writer = StoreWriter(tmp_path, Feed, fingerprint=b"another", max_age_s=60, now=Clock())
        assert not writer.state.synced
        for feed in Feed:
            assert reader.ask("standing")[1:] == (Standing(int(NOW), frozenset(Feed)), []), feed
            assert reader.ask(NAMES) == ([], before), feed
            writer.state.replace(feed, [Service(a)] if feed is Feed.SERVICES else [], NOW)
            writer.commit()
        # Every batch looks at the number, but only the beat at the files.
        assert reader.ask(NAMES) == ([], before)
        assert reader.ask("standing") == (writer.generation, writer.state.standing, [None])
        assert reader.ask(NAMES) == ([], picture(writer.state))
        writer.close()
