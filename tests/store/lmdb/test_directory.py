"""Where the stores lie, and who has them."""

import os
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb import StoreInUseError, choose_directory
from tests.store.lmdb.peers import Peer, writer_of
from tests.support.tools import need_root


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


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o1777, 0o2770])
def test_a_folder_that_others_write(tmp_path: Path, mode: int) -> None:
    place = tmp_path / "dns"
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(StoreError, match=f"others may write to the folder {place}; `chmod go-w {place}`, or"):
        choose_directory(place)
    chosen = choose_directory(None, (place, tmp_path / "second"))
    assert chosen.path == tmp_path / "second"
    chosen.close()
    choose_directory(place / "state").close()
    place.chmod(0o750)
    choose_directory(place).close()


def test_a_link_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "dns").symlink_to(tmp_path / "real")
    with pytest.raises(StoreError, match="is a symbolic link; name the folder that it leads to"):
        choose_directory(tmp_path / "dns")
    assert list((tmp_path / "real").iterdir()) == []


def test_the_lock_is_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    place = tmp_path / "dns"
    place.mkdir(mode=0o700)
    (place / "lock").symlink_to(precious)
    with pytest.raises(StoreError, match="cannot open"):
        choose_directory(place)
    assert precious.read_text() == "kept"


@pytest.mark.mount
def test_what_others_left_is_left_alone(tmp_path: Path) -> None:
    """Folders with the names of ours, of another user or behind a link: anybody may make them beside a default."""
    need_root("making folders of another user")
    place = tmp_path / "dns"
    theirs, link, file = (tmp_path / f"dns-{number}" for number in (999_999_991, 999_999_992, 999_999_993))
    theirs.mkdir(mode=0o700)
    (theirs / "file").touch()
    os.chown(theirs, 12_345, 12_345)
    real = tmp_path / "real"
    real.mkdir()
    (real / "file").touch()
    link.symlink_to(real)
    file.touch()
    with Peer(holding, place) as other:
        other.receive()
        choose_directory(None, (place,)).close()
    assert [path.name for path in theirs.iterdir()] == [path.name for path in real.iterdir()] == ["file"]
    assert link.is_symlink()
    assert file.exists()
    os.chown(place, 12_345, 12_345)
    with pytest.raises(StoreError, match="belongs to another user"):
        choose_directory(place)


def test_nobody_else_reads_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        chosen = choose_directory(tmp_path / "dns")
        writer_of(chosen.folder(0)).close()
        (chosen.folder(0) / "data.mdb").write_bytes(b"")
        writer_of(chosen.folder(0)).close()
        chosen.close()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "dns").rglob("*")}
    assert modes.pop("cluster-0") == 0o700
    assert set(modes) == {"lock", "lock.mdb", "data.mdb", "data.mdb.aside", "generation"}
    assert set(modes.values()) == {0o600}


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
