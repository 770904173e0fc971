"""Processes killed at random under load, while the cluster changes: every answer stays right."""

import contextlib
import fcntl
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.chaos.asking import ManyPorts
from tests.chaos.cluster import ApiServer
from tests.chaos.load import Load, loading, state_of
from tests.chaos.server import STABLE, STABLE_AT, Served
from tests.support.process import wait_until

#: Seconds between two kills.
KILL_S = 1.0
#: Seconds between two changes of the cluster.
CHANGE_S = 0.02
#: Share of the UDP questions that may be lost: those that a killed worker had taken.
LOST_MAX = 0.005
#: Seconds for the last change to be served, when the killing has ended.
SETTLED_S = 10.0


Say = Callable[[str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Tell the figures, if a run of a certain length was asked for."""

    def said(text: str) -> None:
        if "CHAOS_SECONDS" in os.environ:
            with capsys.disabled():
                os.write(1, f"\n{text}\n".encode())

    return said


def settled(api: ApiServer, server: Served) -> float:
    """Wait until every name's last state was seen; the seconds that took."""
    return wait_until(
        lambda: not api.background.do(lambda: api.cluster.unsettled),
        lambda: f"never seen: {api.cluster.unsettled}\n{api.api!r}\n{server.told()}",
        SETTLED_S,
    )


def test_children_killed(api: ApiServer, tmp_path: Path, seconds: float, say: Say) -> None:
    chance, kills = random.Random(3), 0
    with Served(tmp_path, api.url) as server:
        server.up()
        load = Load(api.cluster, server.port)
        with loading(api.background, load):
            changing = api.background.start(api.cluster.keep_changing(CHANGE_S))
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                time.sleep(KILL_S)
                os.kill(chance.choice(server.children()), signal.SIGKILL)
                kills += 1
            changing.cancel()
            lag_s = settled(api, server)
        say(f"{kills} children killed, {api.cluster.changes} changes, settled in {lag_s:.2f} s; {load!r}")
        assert load.udp.wrong + load.tcp.wrong == []
        assert load.udp.lost <= LOST_MAX * load.udp.asked, load
        assert load.tcp.lost == load.udp.refused == load.tcp.refused == 0, load
        assert server.stop() == 0
        assert server.stderr == ""


def test_all_children_killed_at_once(api: ApiServer, tmp_path: Path) -> None:
    """As when the memory is used up: what was there is served again, and nothing else is said meanwhile."""
    with Served(tmp_path, api.url) as server:
        server.up()
        load = Load(api.cluster, server.port)
        with loading(api.background, load):
            for _ in range(2):
                time.sleep(KILL_S)
                for pid in server.children():
                    os.kill(pid, signal.SIGKILL)
            time.sleep(KILL_S / 2)
        assert load.udp.wrong + load.tcp.wrong == []
        assert load.udp.refused == load.tcp.refused == 0, load
        assert server.stop() == 0
        assert server.stderr == ""


def test_worker_that_starts_while_the_store_is_replaced(api: ApiServer, tmp_path: Path) -> None:
    """The clients wait for as long as that takes; they are not told that nothing is known."""
    with Served(tmp_path, api.url, workers=1) as server:
        server.up()
        server.asked_until(STABLE, STABLE_AT)
        held = os.open(server.state / "cluster-0", os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)  # as control does while it takes over what is there
            worker = server.workers()[0]
            os.kill(worker, signal.SIGKILL)
            server.wait_for_others(worker, 2)
            with ManyPorts(server.port, 1) as ports:
                ports.ask(STABLE)
                assert not ports.replies(1, 0.5), "an answer without a store"
                os.close(held)
                held = -1
                assert {state_of(reply) for reply in ports.replies(1, 2.0).values()} == {STABLE_AT}
        finally:
            if held >= 0:
                os.close(held)


class Restarted:
    """Servers on one port, each started as soon as the one before it has been killed."""

    def __init__(self, first: Served, again: Callable[[], Served]) -> None:
        self._exits = contextlib.ExitStack()
        self.server = self._exits.enter_context(first)
        self._again = again
        self.starts = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        if pid == self.server.process.pid:
            self.server.end()
            self.server = self._exits.enter_context(self._again())
            self.starts += 1


def test_parent_killed_too(api: ApiServer, tmp_path: Path, seconds: float, say: Say) -> None:
    """As by a supervisor, the server is started again at once."""
    chance = random.Random(4)
    first = Served(tmp_path, api.url)
    with Restarted(first, lambda: Served(tmp_path, api.url, port=first.port)) as life:
        first.up()
        load = Load(api.cluster, first.port)
        with loading(api.background, load):
            changing = api.background.start(api.cluster.keep_changing(CHANGE_S))
            until = time.monotonic() + 0.5 * seconds
            while time.monotonic() < until:
                time.sleep(KILL_S)
                life.kill(chance.choice((life.server.process.pid, *life.server.children())))
            life.server.up()
            changing.cancel()
            lag_s = settled(api, life.server)
        say(f"{life.starts} starts, {api.cluster.changes} changes, settled in {lag_s:.2f} s; {load!r}")
        assert load.udp.wrong + load.tcp.wrong == []
        assert load.udp.lost <= len(load) * (life.starts - 1) + LOST_MAX * load.udp.asked, load
        assert load.udp.right > 0 < load.tcp.right
        assert life.server.stop() == 0
        assert life.server.stderr == ""
