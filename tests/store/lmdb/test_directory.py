"""Where the stores lie, and who has them."""

import os
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb import StoreInUseError, choose_directory
from tests.store.lmdb.peers import Peer, writer_of


def holding(connection: Connection, folder: Path) -> None:
    """Another server."""
    chosen = choose_directory(None, (folder,))
    connection.send((os.getpid(), chosen.path))
    connection.recv()


def writing(connection: Connection, folder: Path) -> None:
    writer_of(folder)
    connection.send(os.getpid())
    connection.recv()


def idle(connection: Connection, _: Path) -> None:
    connection.send("here")
    connection.recv()


def test_the_first_that_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    chosen = choose_directory(None, (file / "no folder", tmp_path / "second"))
    assert (chosen.path, chosen.private) == (tmp_path / "second", False)
    assert chosen.folder(1) == tmp_path / "second" / "cluster-1"
    chosen.close()
    assert chosen.path.exists()


def test_the_wanted_one_or_none(tmp_path: Path) -> None:
    choose_directory(tmp_path / "a" / "b").close()
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot make the folder .*/file: .*; choose another"):
        choose_directory(tmp_path / "file")


def test_one_in_use(tmp_path: Path) -> None:
    place = tmp_path / "dns"
    with Peer(holding, place) as other:
        process, path = other.receive()
        assert path == place
        with pytest.raises(StoreInUseError, match=f"{place} is in use by process {process}; "):
            choose_directory(place)
        chosen = choose_directory(None, (tmp_path / "dns",))
        assert (chosen.path, chosen.private) == (tmp_path / f"dns-{os.getpid()}", True)
        writer_of(chosen.folder(0)).close()
        chosen.close()
        assert not chosen.path.exists()
    choose_directory(place).close()


def test_what_the_dead_left_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "dns"
    with Peer(holding, place) as first:
        first.receive()
        with Peer(holding, place) as second, Peer(holding, place) as third:
            killed, left = second.receive()
            alive = third.receive()[1]
            assert left == tmp_path / f"dns-{killed}"
            (left / "cluster-0").mkdir()
            (tmp_path / "dns-other").mkdir()
            second.kill()
            chosen = choose_directory(None, (place,))
            assert sorted(tmp_path.iterdir()) == sorted((place, alive, tmp_path / "dns-other", chosen.path))
            chosen.close()


def test_two_writers(tmp_path: Path) -> None:
    with Peer(writing, tmp_path) as other:
        process = other.receive()
        with pytest.raises(StoreInUseError, match=f"in use by process {process}"):
            writer_of(tmp_path)
        other.kill()
        writer_of(tmp_path).close()
    writer = writer_of(tmp_path)
    with pytest.raises(StoreInUseError, match=f"in use by process {os.getpid()}"):
        writer_of(tmp_path)
    writer.close()
    writer_of(tmp_path).close()


def test_a_forked_child_holds_nothing(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "cluster-0")
    private = choose_directory(None, (tmp_path,))
    with Peer(idle, tmp_path) as child:
        assert child.receive() == "here"
        writer.close()
        private.close()
        writer_of(tmp_path / "cluster-0").close()
        choose_directory(tmp_path).close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="free space there, or make it writable"):
        writer_of(tmp_path / "file" / "store")
