"""A disk that is full."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb import choose_directory
from dnsserver.zone.objects import Endpoint, EndpointSlice, Feed, ObjectKey, Service
from tests.store.lmdb.peers import NOW, Peer, Told, complete, reading, writer_of
from tests.support.tools import must_run, tool
from tests.zone.histories import NAMES, picture

#: Octets.
SIZE = 1 << 20
A = ObjectKey("x", "a")
#: Slices that take a third of the file system.
LARGE = 28

pytestmark = [pytest.mark.netns, pytest.mark.tool("mount", "umount")]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory, of SIZE octets."""
    place = tmp_path / "small"
    place.mkdir()
    must_run((tool("mount"), "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(place)))
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
        for feed in set(Feed) - {Feed.ENDPOINT_SLICES}:
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
    for _ in range(3):  # the first leaves something that the second sets aside
        with pytest.raises(StoreError, match=r"(No space left on device|output error); free space there"):
            writer_of(small / "store")
    (small / "ballast").unlink()
    writer_of(small / "store").close()


def test_a_store_that_does_not_fit_twice(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is used where it lies, also by readers that have it open."""
    folder = small / "store"
    left = grown(folder)
    with Peer(reading, folder) as reader:
        assert reader.ask(NAMES)[1] == left
        fill(small / "ballast", SIZE // 2)
        for number in range(3):
            writer = writer_of(folder)
            assert writer.state.restored
            assert picture(writer.state) == left
            assert reader.ask(NAMES)[1] == left
            writer.state.replace(Feed.SERVICES, [Service(A, external_name=f"{number}.")], NOW)
            writer.state.replace(Feed.ENDPOINT_SLICES, slices(LARGE), NOW)
            for feed in set(Feed) - {Feed.SERVICES, Feed.ENDPOINT_SLICES}:
                writer.state.replace(feed, [], NOW)
            writer.commit()
            assert (writer.outage, writer.state.stale) == ("", {})
            left = picture(writer.state)
            assert reader.ask(NAMES)[1] == left
            writer.close()
    assert caplog.text.count("what is there cannot be copied") == 3
    assert not (folder / "data.mdb.aside").exists()
    assert (folder / "lock.mdb").stat().st_mode & 0o777 == 0o600


def test_a_damaged_one_that_does_not_fit_twice(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = small / "store"
    grown(folder)
    data = folder / "data.mdb"
    octets = bytearray(data.read_bytes())
    for place in range(9000, len(octets), 5003):
        octets[place] ^= 0x40
    data.write_bytes(octets)
    fill(small / "ballast")
    writer = writer_of(folder)
    assert not writer.state.restored
    assert "what an earlier run left is not used: it is damaged" in caplog.text
    assert "there is no room left, so data.mdb.aside is removed" in caplog.text
    complete(writer.state)
    writer.state.replace(Feed.ENDPOINT_SLICES, slices(LARGE), NOW)
    writer.commit()
    assert writer.outage == ""
    writer.close()


def test_what_is_aside_makes_room(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For a copy, for a change, and for a server that looks for a place."""
    folder = small / "cluster-0"
    left = grown(folder)
    fill(folder / "data.mdb.aside")
    writer = writer_of(folder)
    assert picture(writer.state) == left
    assert "cannot be copied" not in caplog.text
    fill(folder / "data.mdb.aside")
    complete(writer.state)
    writer.state.replace(Feed.ENDPOINT_SLICES, slices(2 * LARGE), NOW)
    writer.commit()
    assert writer.failed.is_set()
    assert not (folder / "data.mdb.aside").exists()
    writer.close()
    fill(folder / "data.mdb.aside")
    choose_directory(small).close()
    assert caplog.text.count("there is no room left, so data.mdb.aside is removed") == 3


def test_a_full_place_is_passed_over(small: Path, tmp_path: Path) -> None:
    fill(small / "ballast")
    with pytest.raises(StoreError, match="No space left on device; free 256 KiB there, or choose another"):
        choose_directory(small)
    chosen = choose_directory(None, (small, tmp_path / "second"))
    assert (chosen.path, chosen.private) == (tmp_path / "second", False)
    chosen.close()
    (small / "ballast").unlink()
    choose_directory(small).close()
    assert [path.name for path in small.iterdir()] == ["lock"]


def grown(folder: Path) -> dict[str, object]:
    """A store that takes more than a third of the file system, with what is in it."""
    writer = writer_of(folder)
    complete(writer.state)
    writer.state.put(Feed.SERVICES, Service(A), NOW)
    writer.state.replace(Feed.ENDPOINT_SLICES, slices(LARGE), NOW)
    seen = picture(writer.state)
    writer.close()
    assert (folder / "data.mdb").stat().st_size > SIZE // 3
    return seen


def fill(ballast: Path, most: int = SIZE) -> None:
    """Take all the room that there is, or *most* octets."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.tell() < most:
            file.write(bytes(4096))
