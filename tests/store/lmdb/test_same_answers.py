"""Memory, the writer and a reader in another process: the same answers after any history."""

from pathlib import Path
from random import Random

import pytest

from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Endpoint, EndpointSlice, Feed, ObjectKey, Service
from tests.store.lmdb.peers import NOW, Peer, Told, complete, reading, writer_of
from tests.zone.histories import NAMES, ODD_NAMES, picture, random_changes


def union(calls: list[frozenset[ObjectKey] | None]) -> list[frozenset[ObjectKey]]:
    """What a reader is told, once, of what the writer's listeners were told in several calls."""
    known = [call for call in calls if call is not None]
    assert len(known) == len(calls)
    return [frozenset().union(*known)] if known else []


@pytest.mark.parametrize("seed", range(6))
def test_a_history(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    names = ODD_NAMES if seed % 3 == 2 else NAMES
    with Peer(reading, tmp_path) as reader:
        writer, memory = writer_of(tmp_path), ClusterState(Feed, NOW)
        for state in (memory, writer.state):
            complete(state)
        writer.commit()
        reader.ask("standing")
        told, same = Told(memory), Told(writer.state)
        for change in random_changes(rng, 250, names):
            change(memory)
            change(writer.state)
            assert picture(writer.state, names) == picture(memory, names)
            if rng.random() < 0.3:
                calls = told.take()
                assert same.take() == calls
                writer.commit()
                assert reader.ask(names) == (union(calls), picture(memory, names))
        writer.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_history_is_taken_over(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    names = ODD_NAMES if seed == 2 else NAMES
    memory = ClusterState(Feed, NOW)
    complete(memory)
    with Peer(reading, tmp_path) as reader:
        for run in range(5):
            writer = writer_of(tmp_path)
            assert writer.state.restored == (run > 0)
            if run == 0:
                complete(writer.state)
            for change in random_changes(rng, 60, names):
                change(memory)
                change(writer.state)
                assert picture(writer.state, names) == picture(memory, names)
            # All feeds of this run have had a list again, or none: a store that is half old is taken over too.
            writer.commit()
            writer.touch()
            seen = picture(memory, names)
            writer.close()
            reader.ask("standing")
            assert reader.ask(names)[1] == seen


def test_a_reader_sees_a_generation_whole(tmp_path: Path) -> None:
    key = ObjectKey("x", "a")
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path)
        complete(writer.state)
        writer.state.put(Feed.SERVICES, Service(key, cluster_ips=("10.0.0.1",)), NOW)
        writer.commit()
        reader.ask("standing")
        before = picture(writer.state)
        writer.state.drop(Feed.SERVICES, key, NOW)
        writer.state.put(Feed.ENDPOINT_SLICES, EndpointSlice(key, "a", (Endpoint("10.0.0.1"),)), NOW)
        assert reader.ask(NAMES) == ([], before), "not committed yet"
        writer.commit()
        assert reader.ask(NAMES) == ([frozenset((key,))], picture(writer.state))
        assert reader.ask(NAMES) == ([], picture(writer.state))
        writer.close()


def test_many_keys_and_many_generations_are_anything(tmp_path: Path) -> None:
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path)
        complete(writer.state)
        writer.commit()
        reader.ask("standing")
        writer.state.replace(Feed.SERVICES, [Service(ObjectKey("x", f"s{n}")) for n in range(1_001)], NOW)
        writer.commit()
        assert reader.ask(NAMES)[0] == [None]
        for count, told in ((1_024, [frozenset({ObjectKey("x", "a")})]), (1_025, [None])):
            for number in range(count):
                writer.state.put(Feed.SERVICES, Service(ObjectKey("x", "a"), external_name=f"{number}."), NOW)
                writer.commit()
            assert reader.ask(NAMES) == (told, picture(writer.state))
        writer.close()


def test_a_list_of_many_records_is_committed_in_parts(tmp_path: Path) -> None:
    """No part of it is told before it can be seen, or seen before it is told."""
    slices = [
        EndpointSlice(ObjectKey("x", f"w-{n}"), "a", tuple(Endpoint(f"10.{n}.0.{m}") for m in range(250)))
        for n in range(200)
    ]
    with Peer(reading, tmp_path) as reader:
        writer = writer_of(tmp_path)
        generation = writer.generation
        writer.state.replace(Feed.ENDPOINT_SLICES, slices, NOW)
        assert writer.generation > generation + 1
        complete_generation, standing, _ = reader.ask("standing")
        assert complete_generation == writer.generation
        assert standing.synced == frozenset(), "the list has not been told to be complete"
        writer.commit()
        _, standing, told = reader.ask("standing")
        assert (standing.synced, told) == (frozenset({Feed.ENDPOINT_SLICES}), [None])
        assert writer.state.slices_of(ObjectKey("x", "a")) == sorted(slices, key=lambda item: item.key)
        writer.close()
