"""The folder of the state: not writable, another's, chosen by default, full."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnsserver.testing.kube_api import service
from tests.chaos.cluster import ApiServer
from tests.chaos.server import STABLE, STABLE_AT, Served, fails, processes_with
from tests.support.process import ServerProcess, free_port, wait_until
from tests.support.tools import must_run, need_root, tool

#: Octets of a small file system: room for a store, and for some hundred Services more.
SMALL = 1 << 20
#: Services that do not fit into what is left of it when it is full.
MANY = 300
#: Octets that a server wants to be free at its start.
ROOM = 300 * 1024


def test_not_writable(api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder\n")
    with Served(tmp_path, api.url, state=tmp_path / "file" / "state") as server:
        assert fails(server) == f"cannot make the folder {server.state}: Not a directory; choose another"


def test_in_use(api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as first:
        first.up()
        with Served(tmp_path, api.url) as second:
            said = fails(second)
        pid = first.process.pid
        assert said == f"{first.state} is in use by process {pid}; end that, or choose another folder"
        first.asked_until(STABLE, STABLE_AT)
        assert first.stop() == 0
    with Served(tmp_path, api.url) as third:
        third.up()
        assert third.stop() == 0


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory at *folder*."""
    need_root("mounting a file system")
    folder.mkdir()
    must_run((tool("mount"), "-t", "tmpfs", "-o", f"{options},mode=700", "chaos", folder))
    try:
        yield folder
    finally:
        must_run((tool("umount"), folder))


def filled(folder: Path) -> Path:
    """A file that takes all the room that there is."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


@pytest.mark.mount
def test_read_only(api: ApiServer, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "ro") as folder, Served(tmp_path, api.url, state=folder) as server:
        said = fails(server)
        assert said == f"cannot write to the folder {folder}: Read-only file system; make it writable"


@pytest.mark.mount
def test_full_at_the_start(api: ApiServer, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", f"size={SMALL}") as folder:
        filled(folder)
        with Served(tmp_path, api.url, state=folder) as server:
            said = fails(server)
        assert str(folder) in said
        assert "No space left on device" in said


@pytest.mark.mount
def test_restart_without_room_for_a_copy(api: ApiServer, tmp_path: Path) -> None:
    """The state that is there is served from where it lies, though the API server is away."""
    with mounted(tmp_path / "small", f"size={4 * SMALL}") as folder:
        api.add(*(service(f"more-{place}", f"10.8.{place >> 8}.{place & 255}") for place in range(12 * MANY)))
        with Served(tmp_path, api.url, state=folder) as server:
            server.asked_until(STABLE, STABLE_AT)
            assert server.stop() == 0
        filler, data = filled(folder), folder / "cluster-0" / "data.mdb"
        os.truncate(filler, filler.stat().st_size - ROOM)
        assert data.stat().st_size > ROOM
        api.stop()
        with Served(tmp_path, api.url, state=folder) as server:
            server.asked_until(STABLE, STABLE_AT)
            server.wait_for("it is checked in place")
            api.start()
            api.update(service("stable-0", "10.7.0.1"))
            server.asked_until(STABLE, ("10.7.0.1",))
            assert server.stop() == 0
            assert server.stderr == ""


def test_others_write_to_it(api: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with Served(tmp_path, api.url, state=folder) as server:
        assert fails(server).startswith(
            f"others may write to the folder {folder}; `chmod go-w {folder}`, or "
        )


@pytest.mark.mount
def test_full_while_it_runs(api: ApiServer, tmp_path: Path) -> None:
    """The last state goes on being served, also by a new worker; when there is room again, updates resume."""
    with (
        mounted(tmp_path / "small", f"size={SMALL}") as folder,
        Served(tmp_path, api.url, state=folder / "state") as server,
    ):
        server.up()
        filler = filled(folder)
        api.add(*(service(f"more-{place}", f"10.8.{place >> 8}.{place & 255}") for place in range(MANY)))
        api.update(service("stable-0", "10.7.0.1"))
        server.wait_for("cannot be written")
        server.asked_until(STABLE, STABLE_AT)
        worker = server.workers()[0]
        os.kill(worker, signal.SIGKILL)
        server.wait_for_others(worker, 3)
        for _ in range(20):
            server.asked_until(STABLE, STABLE_AT)
        filler.unlink()
        server.asked_until(STABLE, ("10.7.0.1",))
        server.asked_until(f"more-{MANY - 1}.default.svc.cluster.local", ("10.8.1.43",))
        assert server.stop() == 0
        assert server.stderr == ""


# Without --state-dir, in a mount namespace where the usual places are empty.


class InPlaces(ServerProcess):
    """A server that was not told where. *prefix* says what the usual places are."""

    def __init__(self, folder: Path, port: int, api: str, prefix: tuple[str, ...]) -> None:
        text = f".:{port} {{\nbind 127.0.0.1\nkubernetes cluster.local {{\nendpoint {api}\n}}\n}}\n"
        self._corefile = folder / f"Corefile-{port}"
        self._corefile.write_text(text)
        super().__init__(
            "-conf", self._corefile, "--workers", "1", cwd=folder, prefix=prefix, state_dir=False
        )

    def folders(self, place: str) -> list[str]:
        """What is in *place*, as the server sees it."""
        return sorted(entry.name for entry in Path(f"/proc/{self.process.pid}/root{place}").iterdir())


def with_places(on_disk: str) -> tuple[str, ...]:
    """In front of a command, gives it usual places of its own; *on_disk* are the options of that on disk."""
    need_root("making a mount namespace")
    mounts = f"mount -t tmpfs -o {on_disk} chaos /var/lib && mount -t tmpfs chaos /dev/shm"
    return (tool("unshare"), "-m", tool("sh"), "-c", f'{mounts} && exec "$@"', "sh")


@pytest.mark.mount
@pytest.mark.parametrize(("on_disk", "place"), [("rw", "/var/lib"), ("ro", "/dev/shm")])
def test_place_by_default(on_disk: str, place: str, api: ApiServer, tmp_path: Path, port: int) -> None:
    with InPlaces(tmp_path, port, api.url, with_places(on_disk)) as server:
        server.wait_for("dnsserver-")
        assert server.folders(place) == ["dnsserver"]
        assert server.stop() == 0


@pytest.mark.mount
def test_private_place(api: ApiServer, tmp_path: Path, port: int) -> None:
    """Where another server has the usual place: of its own, removed at the end, by the next if need be."""
    first = InPlaces(tmp_path, port, api.url, with_places("rw"))
    with first:
        first.wait_for("dnsserver-")
        other = free_port()
        enter = (tool("nsenter"), "-m", "-t", str(first.process.pid))
        with InPlaces(tmp_path, other, api.url, enter) as second:
            second.wait_for("dnsserver-")
            assert first.folders("/dev/shm") == [f"dnsserver-{second.process.pid}"]
            second.stop(signal.SIGKILL)
        wait_until(lambda: len(processes_with(str(tmp_path))) == 3, first.told)
        with InPlaces(tmp_path, other, api.url, enter) as third:
            third.wait_for("dnsserver-")
            assert first.folders("/dev/shm") == [f"dnsserver-{third.process.pid}"]
            assert third.stop() == 0
        assert first.folders("/dev/shm") == []
        assert first.stop() == 0
