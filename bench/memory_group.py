"""A control group that a server is started in: what the kernel charges to it is what a container's limit is held
against, pages of files and of tmpfs included (cgroups(7))."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
#: Seconds. Until the last process of a group has ended, and between two looks.
END_S, LOOK_S = 10.0, 0.05
#: Octets of a MiB.
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class _Files:
    """What the two versions of control groups call the same."""

    root: Path
    controller: str
    limit: str
    peak: str
    now: str
    events: str
    """The file that counts what was killed for want of memory."""


_V1 = _Files(
    CGROUPS / "memory",
    "memory",
    limit="memory.limit_in_bytes",
    peak="memory.max_usage_in_bytes",
    now="memory.usage_in_bytes",
    events="memory.oom_control",
)
_V2 = _Files(
    CGROUPS,
    "",
    limit="memory.max",
    peak="memory.peak",
    now="memory.current",
    events="memory.events",
)


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A group of its own; processes get into it by `command`."""

    folder: Path
    files: _Files

    def command(self, *words: str) -> tuple[str, ...]:
        """*words*, begun in this group."""
        return ("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.folder), *words)

    def peak_mib(self) -> float:
        """The most that was charged since the group was made."""
        return self._read(self.files.peak)

    def now_mib(self) -> float:
        return self._read(self.files.now)

    def shared_mib(self) -> float:
        """Pages of tmpfs, and memory that processes share."""
        return self._line("memory.stat", "shmem") / MIB

    def killed(self) -> int:
        """Processes that the kernel has killed because the limit was reached."""
        return self._line(self.files.events, "oom_kill")

    def _line(self, file: str, key: str) -> int:
        lines = (self.folder / file).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[0] == key)

    def _read(self, name: str) -> float:
        return int((self.folder / name).read_text()) / MIB


@contextlib.contextmanager
def memory_group(name: str, limit_mib: int | None = None) -> Iterator[MemoryGroup]:
    """A group below our own, with *limit_mib* if given; removed at the end, when its processes must have ended.

    Raises OSError where this process may not make one.
    """
    files = _V1 if _V1.root.is_dir() else _V2
    folder = files.root / _membership(files.controller) / f"{name}-{os.getpid()}"
    folder.mkdir()
    try:
        if limit_mib is not None:
            (folder / files.limit).write_text(str(limit_mib * MIB))
        yield MemoryGroup(folder, files)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Children of a process that was killed end a little after it."""
    until = time.monotonic() + END_S
    while True:
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_S)
        else:
            return


def _membership(controller: str) -> Path:
    for line in MEMBERSHIP.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return Path(path.lstrip("/"))
    raise OSError(f"{MEMBERSHIP} does not name a group for {controller or 'version 2'}")
