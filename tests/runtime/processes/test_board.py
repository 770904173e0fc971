"""What the parent knows of the control process, and its successor must."""

import contextlib
import os
import selectors
from pathlib import Path

from dnsserver.runtime.processes.board import Board
from dnsserver.runtime.processes.family import Family, Limits
from dnsserver.runtime.processes.link import ChildLink
from tests.support.process import wait_until


def test_a_successor_knows_that_it_is_one(tmp_path: Path) -> None:
    """Not by the heartbeat, which the parent resets before it forks."""
    said, board = tmp_path / "said", Board(workers=1)

    def control(link: ChildLink, _: int) -> int:
        with said.open("a") as file:
            file.write(f"{link.board.control_was_ready} ")
        link.ready()
        return 0

    with selectors.DefaultSelector() as selector:
        family = Family(board, control, control, Limits(), selector, tuple)
        family.fork(family.control)
        assert not board.control_was_ready

        def replaced() -> bool:
            with contextlib.suppress(ChildProcessError):
                family.buried(*os.waitpid(-1, os.WNOHANG))
            family.attend()
            return said.exists() and len(said.read_text().split()) >= 2

        wait_until(replaced, lambda: f"{family!r}")
        family.end()
    assert said.read_text().split()[:2] == ["False", "True"]
    assert board.control_was_ready
