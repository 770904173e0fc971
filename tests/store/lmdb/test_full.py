"""A disk that is full."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnsserver.store.errors import StoreError
from dnsserver.zone.objects import Endpoint, EndpointSlice, Feed, ObjectKey, Service
from tests.store.lmdb.peers import NOW, Peer, Told, complete, reading, writer_of
from tests.support.tools import must_run, tool
from tests.zone.histories import NAMES, picture

#: Octets.
SIZE = 1 << 20
A = ObjectKey("x", "a")

pytestmark = [pytest.mark.netns, pytest.mark.tool("mount", "umount")]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory, of SIZE octets."""
    place = tmp_path / "small"
    place.mkdir()
    must_run((tool("mount"), "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)))
    try:
        yield place
    finally:
        must_run((tool("umount"), "--lazy", str(place)))


def slices(count: int) -> list[EndpointSlice]:
    return [
        EndpointSlice(ObjectKey("x", f"w-{n}"), "a", tuple(Endpoint(f"10.{n}.0.{m}") for m in range(200)))
        for n in range(count)
    ]


def test_full_and_free_again(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dnsserver.store")
    folder = small / "store"
    with Peer(reading, folder) as reader:
        writer = writer_of(folder)
        complete(writer.state)
        writer.state.replace(Feed.ENDPOINT_SLICES, slices(2), NOW)
        writer.commit()
        reader.ask("standing")
        before = picture(writer.state)
        assert reader.ask(NAMES) == ([], before)
        told = Told(writer.state)
        ballast = small / "ballast"
        fill(ballast)
        writer.state.replace(Feed.ENDPOINT_SLICES, slices(30), NOW)
        writer.commit()
        assert writer.failed.is_set()
        assert None in told.take()
        assert "No space left on device" in writer.outage
        assert set(writer.state.stale) == set(Feed)
        assert picture(writer.state) == before
        assert reader.ask(NAMES)[1] == before
        for _ in range(3):
            writer.state.put(Feed.ENDPOINT_SLICES, slices(30)[-1], NOW)
            writer.commit()
        assert len(caplog.records) == 1, "it is said once"
        ballast.unlink()
        writer.failed.clear()
        complete(writer.state)
        writer.state.replace(Feed.ENDPOINT_SLICES, slices(3), NOW)
        writer.commit()
        assert (writer.outage, writer.failed.is_set()) == ("", False)
        assert writer.state.stale == {}
        assert len(caplog.records) == 2
        assert reader.ask(NAMES)[1] == picture(writer.state)
        assert reader.ask("standing")[1].stale == {}
        writer.close()


def test_a_feed_is_stale_until_its_next_list(small: Path) -> None:
    writer = writer_of(small / "store")
    complete(writer.state)
    writer.commit()
    fill(small / "ballast")
    writer.state.replace(Feed.ENDPOINT_SLICES, slices(30), NOW)
    writer.commit()
    (small / "ballast").unlink()
    writer.state.mark_fresh(Feed.SERVICES)
    assert Feed.SERVICES in writer.state.stale, "a change of it may have been lost"
    writer.state.replace(Feed.SERVICES, [], NOW)
    assert Feed.SERVICES not in writer.state.stale
    assert Feed.ENDPOINT_SLICES in writer.state.stale
    writer.close()


def test_a_first_list_that_is_lost_is_not_counted(small: Path) -> None:
    """No name is denied of a feed whose list did not reach the store."""
    folder = small / "store"
    with Peer(reading, folder) as reader:
        writer = writer_of(folder)
        for feed in (Feed.SERVICES, Feed.NAMESPACES, Feed.PODS):
            writer.state.replace(feed, [], NOW)
        writer.commit()
        ballast = small / "ballast"
        fill(ballast)
        writer.state.replace(Feed.ENDPOINT_SLICES, slices(40), NOW)
        writer.commit()
        assert writer.state.waiting_for == ["endpointslices"]
        ballast.unlink()
        writer.state.put(Feed.SERVICES, Service(A), NOW)
        writer.commit()
        assert Feed.ENDPOINT_SLICES not in reader.ask("standing")[1].synced
        writer.close()


def test_no_room_for_a_store(small: Path) -> None:
    fill(small / "ballast")
    with pytest.raises(StoreError, match="No space left on device; free space there"):
        writer_of(small / "store")
    (small / "ballast").unlink()
    writer_of(small / "store").close()


def fill(ballast: Path) -> None:
    """Take all the room that there is."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
