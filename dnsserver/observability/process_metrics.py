"""What the processes of the server cost, in the names that Prometheus's clients have for one process (proc(5))."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from dnsserver.observability.families import Family, Kind

PROC = Path("/proc")
#: Clock ticks per second, and octets per page, of the numbers in /proc/PID/stat.
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
#: Places of the fields 14 to 17 and 22 to 24 of /proc/PID/stat, counted from field 4 (proc_pid_stat(5)): user and
#: system time, the same of children that have ended, start time, virtual memory, resident pages.
_UTIME, _STIME, _CUTIME, _CSTIME, _START, _VIRTUAL, _RESIDENT = 10, 11, 12, 13, 18, 19, 20


def process_families(root: int) -> Iterator[Family]:
    """CPU, memory and files of the process *root* and its children together; nothing where there is no /proc.

    Memory that they share is counted once; the CPU time of children that have ended is that of *root*.
    """
    whole = {pid: stat for pid in (root, *_children(root)) if (stat := _stat(pid))}
    if root not in whole:
        return
    stats = whole.values()
    ticks = sum(stat[_UTIME] + stat[_STIME] for stat in stats) + whole[root][_CUTIME] + whole[root][_CSTIME]
    yield _family("cpu_seconds_total", Kind.COUNTER, "Seconds of user and system time.", ticks / _TICKS)
    yield _family(
        "virtual_memory_bytes", Kind.GAUGE, "Octets of virtual memory.", sum(stat[_VIRTUAL] for stat in stats)
    )
    memory = sum(_memory(pid, stat) for pid, stat in whole.items())
    yield _family("resident_memory_bytes", Kind.GAUGE, "Octets of memory that is in use.", memory)
    started = _booted() + whole[root][_START] / _TICKS
    yield _family("start_time_seconds", Kind.GAUGE, "Unix seconds of the start.", started)
    with contextlib.suppress(OSError):
        files = sum(len(list((PROC / str(pid) / "fd").iterdir())) for pid in whole)
        yield _family("open_fds", Kind.GAUGE, "Open files.", files)
        limits = (PROC / str(root) / "limits").read_text().splitlines()
        most = next(line.split()[3] for line in limits if line.startswith("Max open files"))
        yield _family("max_fds", Kind.GAUGE, "Open files that one process may have.", float(most))


def _family(name: str, kind: Kind, text: str, number: float) -> Family:
    return Family(f"process_{name}", kind, text, (), (((), float(number)),), max)


def _children(pid: int) -> list[int]:
    try:
        return [int(text) for text in (PROC / f"{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # a kernel without the file (proc_pid_task(5)), or no such process
        return []


def _stat(pid: int) -> list[int]:
    try:
        return [int(text) for text in (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[1:]]
    except OSError:
        return []


def _memory(pid: int, stat: list[int]) -> int:
    """Octets: its share of what is shared, where the kernel tells (PSS), else all that is resident."""
    try:
        lines = (PROC / f"{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return stat[_RESIDENT] * _PAGE
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _booted() -> float:
    """Unix seconds."""
    lines = (PROC / "stat").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("btime")))
