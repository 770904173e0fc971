"""The end: by signals, in order; and by the parent's death."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from tests.runtime.processes.tree import Tree, alive
from tests.support.process import wait_until

SAID = {
    signal.SIGTERM: "[INFO] SIGTERM: Shutting down servers then terminating",
    signal.SIGINT: "[INFO] SIGINT: Shutting down",
}


@pytest.mark.parametrize("number", SAID, ids=lambda number: number.name)
def test_signal_ends_all_in_order(number: signal.Signals, tmp_path: Path) -> None:
    with Tree(tmp_path, lameduck_s=0.5) as tree:
        tree.wait_for("STARTED")
        pids = tree.pids().values()
        begun = time.monotonic()
        tree.send(number)
        tree.wait_for("LAME control")
        wait_until(lambda: len(tree.lines("LAME")) == 3, tree.told)
        assert not tree.lines("DRAINED")
        assert tree.end() == 0
        assert 0.5 <= time.monotonic() - begun < 1.5
        assert SAID[number] in tree.stdout.splitlines()
        first, *workers, last = tree.lines("DRAINED")
        assert (first, sorted(workers), last) == ("nobody yet", ["worker-1", "worker-2"], "control")
        assert not any(alive(pid) for pid in pids)
        assert "WARNING" not in tree.stdout
        assert tree.stderr == ""


def test_second_interrupt_is_exit_2(tmp_path: Path) -> None:
    with Tree(tmp_path, lameduck_s=60) as tree:
        tree.wait_for("STARTED")
        tree.send(signal.SIGINT)
        tree.wait_for("LAME")
        assert tree.stop(signal.SIGINT) == 2
        wait_until(lambda: not any(alive(pid) for pid in tree.ever()), tree.told, 1)


def test_quit_ends_at_once(tmp_path: Path) -> None:
    with Tree(tmp_path, lameduck_s=60) as tree:
        tree.wait_for("STARTED")
        assert tree.stop(signal.SIGQUIT) == 0
        assert not any(alive(pid) for pid in tree.ever())
        assert not tree.lines("DRAINED")
        assert tree.stderr == ""


def test_signals_that_do_not_end(tmp_path: Path) -> None:
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        tree.send(signal.SIGHUP)
        tree.send(signal.SIGUSR1)
        tree.wait_for("TOOK-OVER 1")
        tree.send(signal.SIGHUP)
        assert all(alive(pid) for pid in (tree.process.pid, *tree.pids().values()))
        assert tree.stop() == 0


@pytest.mark.parametrize("number", SAID, ids=lambda number: number.name)
@pytest.mark.parametrize("name", ["control", "worker-2"])
def test_signal_during_the_start_ends_it_at_once(number: signal.Signals, name: str, tmp_path: Path) -> None:
    with Tree(tmp_path, {name: "wait"}, lameduck_s=60) as tree:
        tree.wait_for(f"WAITING {name}")
        begun = time.monotonic()
        assert tree.stop(number) == 0
        assert time.monotonic() - begun < 1
        assert SAID[number] in tree.stdout.splitlines()
        assert not tree.lines("STARTED")
        assert tree.stderr == ""


@pytest.mark.parametrize("starting", [False, True], ids=["started", "starting"])
def test_signal_to_the_whole_group(starting: bool, tmp_path: Path) -> None:
    """As an init system sends it to every process of a service."""
    with Tree(tmp_path, {"control": "wait"} if starting else {}) as tree:
        tree.wait_for("WAITING control" if starting else "STARTED")
        tree.send(signal.SIGTERM)
        for pid in tree.ever():
            with contextlib.suppress(ProcessLookupError):  # it may have ended already
                os.kill(pid, signal.SIGTERM)
        assert tree.end() == 0
        assert tree.stderr == ""


@pytest.mark.parametrize("name", ["control", "worker-1"])
def test_child_that_does_not_finish_is_killed(name: str, tmp_path: Path) -> None:
    with Tree(tmp_path, {name: "stuck"}, drain_s=0.3) as tree:
        tree.wait_for("STARTED")
        begun = time.monotonic()
        assert tree.stop() == 0
        assert 0.3 <= time.monotonic() - begun < 1.3
        assert f"{name.replace('-', ' ')} did not finish within 0.3 s and is killed" in tree.stdout
        assert len(tree.lines("DRAINED")) == 3, "on_drain, and the two others"
        assert not any(alive(pid) for pid in tree.ever())


def test_child_that_dies_while_lame_is_replaced_by_a_lame_one(tmp_path: Path) -> None:
    with Tree(tmp_path, lameduck_s=0.6) as tree:
        tree.wait_for("STARTED")
        tree.send(signal.SIGTERM)
        tree.wait_for("LAME worker-1")
        pid = tree.pids()["worker-1"]
        os.kill(pid, signal.SIGKILL)
        tree.replaced("worker-1", pid)
        wait_until(lambda: tree.lines("LAME").count("worker-1") == 2, tree.told)
        assert tree.end() == 0


@pytest.mark.parametrize("belt", [True, False], ids=["kernel kills them", "end of file on the link"])
def test_children_die_with_the_parent(belt: bool, tmp_path: Path) -> None:
    with Tree(tmp_path, belt=belt) as tree:
        tree.wait_for("STARTED")
        tree.send(signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in tree.ever()), tree.told, 1)


def test_stopped_child_dies_with_the_parent(tmp_path: Path) -> None:
    """It cannot hear the link."""
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        os.kill(tree.pids()["worker-1"], signal.SIGSTOP)
        tree.send(signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in tree.ever()), tree.told, 1)
