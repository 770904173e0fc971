"""What a node has around a pod: the API server on an address of its own, a name server, and the kubelet's files."""

import asyncio
import ctypes
import os
import shutil
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from dnsserver.testing.kube_api.access import Access
from dnsserver.testing.kube_api.requests import Request
from dnsserver.testing.kube_api.server import KubeApi, ServerTls
from dnsserver.testing.kube_api.store import Store
from tests.support.kube_api.pki import Pki

#: sched.h
CLONE_NEWNET = 0x40000000
ADMIN = "admin"
#: Where pods find their token.
TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
#: Octets of one piece on the way to the API server.
PIECE = 1 << 16
#: Seconds.
PATIENCE_S = 20.0


class ApiServer:
    """The API server for tests, in a thread, that holds everybody to the roles in it; reached at 127.0.0.1 in another
    network namespace."""

    def __init__(self, pki: Pki, objects: Sequence[Mapping[str, Any]]) -> None:
        store = Store()
        self._access = Access(store, ADMIN)
        self._tls = ServerTls(pki.server.cert, pki.server.key)
        self.api = KubeApi(tls=self._tls, store=store, access=self._access)
        self.api.add(*objects)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="API server")

    def token(self, namespace: str, account: str) -> str:
        asked = Request(
            "create",
            "serviceaccounts",
            "",
            {},
            "",
            namespace=namespace,
            name=account,
            subresource="token",
        )
        return str(self._access.token(asked, {})["status"]["token"])

    @contextmanager
    def serving(self, netns: str) -> Iterator[int]:
        """The port there."""
        self._thread.start()
        try:
            self._do(self.api.start())
            listening = inside(netns, lambda: socket.create_server(("127.0.0.1", 0)))
            passing = self._do(asyncio.start_server(self._pass_on, sock=listening))
            try:
                yield listening.getsockname()[1]
            finally:
                self._loop.call_soon_threadsafe(passing.close)
        finally:
            self._do(self.api.stop())
            self._do(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def change(self, change: Callable[[], None]) -> None:
        """Do what changes the cluster where the API server runs."""

        async def changed() -> None:
            change()

        self._do(changed())

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.api.port)
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except OSError:
            pass  # one of the two has gone: so does the other
        finally:
            back.close()
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()
    writer.close()


def inside(netns: str, make: Callable[[], socket.socket]) -> socket.socket:
    """What *make* makes in a network namespace: sockets stay in that where they were made."""
    made: list[socket.socket] = []

    def work() -> None:
        descriptor = os.open(f"/run/netns/{netns}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            made.append(make())
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return made[0]


def manifests(folder: Path) -> list[dict[str, Any]]:
    return [obj for path in sorted(folder.glob("*.yaml")) for obj in yaml.safe_load_all(path.read_text())]


def kubelet_files(folder: Path, *, nameserver: str, token: str, ca: Path) -> dict[str, Path]:
    """What it makes besides the volumes of the manifest, by place."""
    account = folder / "account"
    account.mkdir()
    (account / "token").write_text(token)
    (account / "namespace").write_text("kube-system")
    shutil.copy(ca, account / "ca.crt")
    texts = {
        "/etc/resolv.conf": f"nameserver {nameserver}\n",  # dnsPolicy: Default
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "/etc/hostname": "coredns\n",
    }
    for place, text in texts.items():
        (folder / Path(place).name).write_text(text)
    return {TOKEN_FOLDER: account, **{place: folder / Path(place).name for place in texts}}


def config_map_volume(folder: Path, data: Mapping[str, str]) -> Path:
    """As the kubelet writes it: files are links into a folder that is exchanged as a whole."""
    version = folder / "..first"
    version.mkdir(parents=True)
    (folder / "..data").symlink_to(version.name)
    for name, text in data.items():
        (version / name).write_text(text)
        (folder / name).symlink_to(Path("..data") / name)
    return folder


def replace_config_map(folder: Path, data: Mapping[str, str]) -> None:
    version = folder / "..second"
    version.mkdir()
    for name, text in data.items():
        (version / name).write_text(text)
    (folder / "..new").symlink_to(version.name)
    (folder / "..new").rename(folder / "..data")
