"""Other processes at a store, for tests to talk to and to kill."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dnsserver.store.lmdb import StoreReader, StoreWriter
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed, Namespace, ObjectKey
from tests.zone.histories import picture

#: Seconds that a test waits for another process before it fails.
PATIENCE_S = 30.0
FINGERPRINT = b"of the tests"
NOW = 1_000.0
FORK = multiprocessing.get_context("fork")


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def writer_of(folder: Path, clock: Clock | None = None, max_age_s: float = 60.0) -> StoreWriter:
    now = clock or Clock()
    return StoreWriter(folder, Feed, fingerprint=FINGERPRINT, max_age_s=max_age_s, now=now)


def complete(state: ClusterState, now: float = NOW) -> None:
    """The first lists, all but empty."""
    for feed in Feed:
        state.replace(feed, [Namespace("x")] if feed is Feed.NAMESPACES else [], now)


class Told:
    """What a state's listeners are told."""

    def __init__(self, state: ClusterState) -> None:
        self._calls: list[frozenset[ObjectKey] | None] = []
        state.subscribe(self._calls.append)

    def take(self) -> list[frozenset[ObjectKey] | None]:
        calls, self._calls[:] = list(self._calls), []
        return calls


class Peer:
    """A forked process that runs *serve*. To be made before the test opens the store: LMDB's locks belong to a
    process, and it refuses to open twice what a child has inherited."""

    def __init__(self, serve: Callable[[Connection, Path], None], folder: Path) -> None:
        self._connection, theirs = FORK.Pipe()
        self._process = FORK.Process(target=serve, args=(theirs, folder), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._connection.close()

    def send(self, message: object) -> None:
        self._connection.send(message)

    def receive(self) -> Any:
        assert self._connection.poll(PATIENCE_S), "the other process is silent"
        return self._connection.recv()

    def ask(self, message: object) -> Any:
        self.send(message)
        return self.receive()

    def kill(self) -> None:
        """As the kernel does when memory is short: nothing is put in order."""
        assert self._process.pid is not None
        if self._process.is_alive():
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join(PATIENCE_S)


def reading(connection: Connection, folder: Path) -> None:
    """A reader. Each message is the names to look at; the reply what listeners were told, and what is there."""
    reader = StoreReader(folder)
    told = Told(reader.state)
    while True:
        message = connection.recv()
        if message == "standing":
            reader.beat()
            connection.send((reader.generation, reader.state.standing, told.take()))
        else:
            reader.refresh()
            connection.send((told.take(), picture(reader.state, message)))
