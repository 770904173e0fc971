"""Children that die or hang are replaced, and nobody else notices."""

import os
import resource
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.runtime.processes.tree import Tree, alive
from tests.support.process import wait_until

#: Seconds. Whoever has lived longer is replaced at once.
LIVED_S = 1.0
FILES = resource.RLIMIT_NOFILE


def test_killed_child_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        time.sleep(LIVED_S)
        for name, pid in tree.pids().items():
            before = tree.pids()
            os.kill(pid, signal.SIGKILL)
            assert tree.replaced(name, pid) < 0.5
            after = tree.pids()
            assert {key for key in before if before[key] != after[key]} == {name}
            assert all(alive(pid) for pid in after.values())
            assert f"(pid {pid}) ended: killed by SIGKILL; it is replaced now" in tree.stdout
        assert tree.stop() == 0
        assert len(tree.lines("STARTED") + tree.lines("PORT")) == 2, "callbacks are called once"
        assert tree.stderr == ""


def test_child_that_gets_sigterm_finishes_and_is_replaced(tmp_path: Path) -> None:
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        pid = tree.pids()["worker-2"]
        os.kill(pid, signal.SIGTERM)
        tree.replaced("worker-2", pid)
        assert tree.lines("DRAINED") == ["worker-2"]
        assert f"worker 2 (pid {pid}) ended: exit code 0" in tree.stdout


def test_child_leaves_signals_of_the_group_to_the_parent(tmp_path: Path) -> None:
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        before = tree.pids()
        for pid in before.values():
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1):
                os.kill(pid, number)
        time.sleep(0.2)
        assert tree.pids() == before
        assert all(alive(pid) for pid in before.values())


def test_child_that_hangs_is_replaced(tmp_path: Path) -> None:
    """One that is stopped, and one whose event loop is blocked."""
    with Tree(tmp_path, hang_s=1.2) as tree:
        tree.wait_for("STARTED")
        before = tree.pids()
        os.kill(before["worker-1"], signal.SIGSTOP)
        os.kill(before["worker-2"], signal.SIGUSR2)
        for name in ("worker-1", "worker-2"):
            tree.replaced(name, before[name], 2.5)
            assert f"(pid {before[name]}) hangs: no heartbeat for 1." in tree.stdout
        assert tree.pids()["control"] == before["control"]
        assert tree.stop() == 0
        assert tree.lines("RESTARTS") == ["worker hang 2"]


def test_family_that_was_frozen_as_a_whole_is_left_alone(tmp_path: Path) -> None:
    """As by `docker pause`, a debugger, or a machine that swaps."""
    with Tree(tmp_path, hang_s=0.8) as tree:
        tree.wait_for("STARTED")
        before = tree.pids()
        everybody = [tree.process.pid, *before.values()]
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1.6)
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
        time.sleep(1)
        assert tree.pids() == before
        assert "hangs" not in tree.stdout


def test_loop_of_crashes_rests_longer_each_time(tmp_path: Path) -> None:
    with Tree(tmp_path, workers=1) as tree:
        tree.wait_for("STARTED")
        tree.order("worker-1", "crash")
        os.kill(tree.pids()["worker-1"], signal.SIGKILL)
        tree.wait_for("exit code 7; it is replaced in 0.4 s")
        rests = [line.rpartition(" in ")[2] for line in tree.stdout.splitlines() if "it is replaced" in line]
        assert rests == ["0.1 s", "0.2 s", "0.4 s"]
        tree.order("worker-1", "")
        tree.replaced("worker-1", tree.pids()["worker-1"])
        assert tree.stop() == 0
        assert sorted(tree.lines("RESTARTS")) == ["worker exit 2", "worker signal 1"]


@pytest.mark.parametrize(
    ("order", "said"),
    [("fail", r"no such zone\nsecond line"), ("raise", "exit code 1")],
    ids=["says why", "exception"],
)
def test_replacement_that_cannot_start_is_tried_again(order: str, said: str, tmp_path: Path) -> None:
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        pid = tree.pids()["control"]
        tree.order("control", order)
        os.kill(pid, signal.SIGKILL)
        tree.wait_for(f"ended: {said}; it is replaced in 0.2 s")
        assert (r"\nRuntimeError: a mistake in the code" in tree.stdout) == (order == "raise")
        tree.order("control", "")
        tree.replaced("control", pid)
        assert tree.stop() == 0
        assert tree.lines("LEFT") == [str(tree.process.pid)], "a child ran its parent's way out"


def test_replacement_waits_until_a_process_can_be_made(tmp_path: Path) -> None:
    with Tree(tmp_path, workers=1) as tree:
        tree.wait_for("STARTED")
        pid = tree.pids()["worker-1"]
        limits = resource.prlimit(tree.process.pid, FILES)
        resource.prlimit(tree.process.pid, FILES, (3, limits[1]))
        os.kill(pid, signal.SIGKILL)
        tree.wait_for("worker 1: no new process: Too many open files; again in 0.2 s")
        resource.prlimit(tree.process.pid, FILES, limits)
        tree.replaced("worker-1", pid)


def test_question_to_a_killed_worker_is_answered_by_its_successor(tmp_path: Path) -> None:
    with (
        Tree(tmp_path, workers=1) as tree,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        tree.wait_for("STARTED")
        pid = tree.pids()["worker-1"]
        client.connect(("127.0.0.1", int(tree.lines("PORT")[0])))
        client.settimeout(5)
        os.kill(pid, signal.SIGSTOP)
        client.send(b"question")
        os.kill(pid, signal.SIGKILL)
        assert client.recv(512).decode() == f"question from {tree.pids()['worker-1']}"
        assert tree.pids()["worker-1"] != pid


def test_restarts_are_counted_by_kind_and_reason(tmp_path: Path) -> None:
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        for name in ("worker-1", "worker-2", "control"):
            pid = tree.pids()[name]
            os.kill(pid, signal.SIGKILL)
            tree.replaced(name, pid)
        pid = tree.pids()["worker-1"]
        os.kill(pid, signal.SIGTERM)
        tree.replaced("worker-1", pid)
        assert tree.stop() == 0
        assert tree.lines("RESTARTS") == ["control signal 1", "worker exit 1", "worker signal 2"]


def test_orphans_are_waited_for(tmp_path: Path) -> None:
    """Process 1 of a container gets the children of whoever dies there; here the parent's own, unknown to it."""
    with Tree(tmp_path, stray=True) as tree:
        tree.wait_for("STARTED")
        stray = int(tree.lines("STRAY")[0])
        wait_until(lambda: not Path(f"/proc/{stray}").exists(), tree.told)
        assert tree.stop() == 0
