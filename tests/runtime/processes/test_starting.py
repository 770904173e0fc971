"""The start: its errors, and what it leaves open."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.runtime.processes.tree import Tree, alive, files
from tests.support.process import wait_until


@pytest.mark.parametrize("name", ["control", "worker-2"])
@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("fail", "no such zone\nsecond line\n"),
        ("crash", "{name} ended before it was ready: exit code 7\n"),
        ("raise", "{name} ended before it was ready: exit code 1\n"),
    ],
    ids=["says why", "exits", "exception"],
)
def test_child_that_cannot_start_ends_the_start(name: str, order: str, said: str, tmp_path: Path) -> None:
    with Tree(tmp_path, {name: order}) as tree:
        assert tree.end() == 1
        assert tree.stderr == said.format(name=name.replace("-", " "))
        assert ("[ERROR] " in tree.stdout) == (order == "raise")
        assert not tree.lines("STARTED")
        assert not any(alive(pid) for pid in tree.ever())


def test_error_of_the_callback_ends_the_start(tmp_path: Path) -> None:
    with Tree(tmp_path, no_bind=True) as tree:
        assert tree.end() == 1
        assert tree.stderr == "listen udp: address already in use\n"
        assert list(tree.pids()) == ["control"]
        assert not any(alive(pid) for pid in tree.ever())


def test_order_of_a_start(tmp_path: Path) -> None:
    with Tree(tmp_path, workers=3) as tree:
        tree.wait_for("STARTED")
        words = [line.split()[:2] for line in tree.stdout.splitlines()]
        words.remove(["BUFFERED", "parent"])
        assert words[0] == ["UP", "control"]
        assert words[1][0] == "PORT"
        assert sorted(words[2:5]) == [["UP", f"worker-{number}"] for number in (1, 2, 3)]
        assert words[5] == ["STARTED"]


def test_what_was_printed_is_there_once(tmp_path: Path) -> None:
    """A fork copies what waits in a buffer; the end of a child must not lose it."""
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        assert tree.stop() == 0
        assert sorted(tree.lines("BUFFERED")) == ["control", "parent", "worker-1", "worker-2"]


def test_without_workers(tmp_path: Path) -> None:
    with Tree(tmp_path, workers=0) as tree:
        tree.wait_for("STARTED")
        assert tree.stop() == 0
        assert tree.lines("DRAINED") == ["nobody yet", "control"]


def test_no_descriptor_leaks(tmp_path: Path) -> None:
    """Children have nothing of the parent's but standard streams and the socket they serve; replacing adds nothing."""
    with Tree(tmp_path, workers=3) as tree:
        tree.wait_for("STARTED")
        begun = _descriptors(tree)
        for _ in range(2):
            for name, pid in tree.pids().items():
                os.kill(pid, signal.SIGKILL)
                tree.replaced(name, pid)
        wait_until(lambda: _descriptors(tree) == begun, lambda: f"{_descriptors(tree)} != {begun}")
        of_parent = {file for file in files(tree.process.pid) if file.startswith(("pipe:", "socket:"))}
        for pid in tree.pids().values():
            shared = of_parent & set(files(pid))
            assert len(shared) == 1, f"the socket that workers serve, and no end of a link: {shared}"
            assert files(pid).count("anon_inode:[eventpoll]") == 1, "its event loop's own"


def test_idle_parent_sleeps(tmp_path: Path) -> None:
    with Tree(tmp_path) as tree:
        tree.wait_for("STARTED")
        begun = _wakeups(tree.process.pid)
        time.sleep(1.2)
        assert _wakeups(tree.process.pid) - begun <= 2


def _descriptors(tree: Tree) -> dict[str, int]:
    """How many files each process has open."""
    return {name: len(files(pid)) for name, pid in {**tree.pids(), "parent": tree.process.pid}.items()}


def _wakeups(pid: int) -> int:
    """How often the process has gone to sleep."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
