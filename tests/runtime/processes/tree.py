"""The program `parent.py` and its children, as processes of their own; ended by their ids."""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from types import TracebackType

from tests.support.process import ServerProcess, wait_until

PROGRAM = Path(__file__).with_name("parent.py")


class Tree(ServerProcess):
    """`python parent.py OPTIONS` in *folder*. *orders*: what a child does in place of its work, by its name."""

    def __init__(self, folder: Path, orders: dict[str, str] | None = None, **options: float | bool) -> None:
        super().__init__(cwd=folder, state_dir=False)
        self._command = [sys.executable, str(PROGRAM), json.dumps(options)]
        self._folder = folder
        for name, text in (orders or {}).items():
            self.order(name, text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        children = self.ever()
        try:
            super().__exit__(kind, error, trace)
        finally:
            left = [pid for pid in children if alive(pid)]
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert error is not None or not left, f"children that live on: {left}"

    def order(self, name: str, text: str) -> None:
        """What the child of this name will do when it is forked the next time; "" is its work."""
        (self._folder / name).write_text(text)

    def ever(self) -> list[int]:
        """The ids of all children that said UP, or WAITING."""
        return [int(line.split()[1]) for line in self.lines("UP") + self.lines("WAITING")]

    def pids(self) -> dict[str, int]:
        """The ids of the last children that said UP, by name."""
        said = (line.split() for line in self.lines("UP"))
        return {name: int(pid) for name, pid in said}

    def replaced(self, name: str, pid: int, patience_s: float = 5.0) -> float:
        """Wait until *name* is another process than *pid*; the seconds that took."""
        return wait_until(lambda: self.pids()[name] != pid, self.told, patience_s)

    def lines(self, word: str) -> list[str]:
        """What was said after *word*, in this order."""
        said = self.stdout.splitlines()
        return [line.removeprefix(word).strip() for line in said if line.split(" ")[0] == word]


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be waited for does not."""
    try:
        return _fields(pid)[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent_of(pid: int) -> int:
    return int(_fields(pid)[1])


def files(pid: int) -> list[str]:
    """What each open file of the process is."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(entry.readlink()))
    return found


def _fields(pid: int) -> list[str]:
    """State, id of the parent, and so on (proc(5)); the name of the program may hold anything, and comes before."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
