"""How many CPUs and how much memory this process may use, as its control groups say (cgroups(7))."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: Where the control groups are mounted, and which of them are ours.
CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")

#: Workers that "auto" starts at most. Eight answer some million queries per second, the most that is asked of one
#: server; on a node of 128 CPUs without a limit, more would only take memory.
AUTO_MAX = 8
#: Octets. With a memory limit, "auto" leaves this to the parent, the control process and a store of ordinary size,
#: which are there twice in a reload, and starts a worker for each WORKER_MEMORY of the rest: some 15 MiB that a worker
#: takes from the start, and what it keeps of its answers (docs/benchmarks/sizing.md).
BASE_MEMORY, WORKER_MEMORY = 128 << 20, 32 << 20
#: Workers that may be asked for by number.
WORKERS_MAX = 64

#: Octets. cgroup v1 has no word for "no limit", only the largest multiple of a page; no machine has this much.
_V1_UNLIMITED = 1 << 60
#: Where version 1 mounts the controller of CPU time: alone, or as one with its accounting.
_V1_CPU = ("cpu", "cpu,cpuacct", "cpuacct,cpu")


def worker_count(text: str, cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """The number of workers that *text* asks for: a number up to WORKERS_MAX, or "auto", one per usable CPU, and no
    more than the memory limit has room for.

    Raises ValueError with a text for the user.
    """
    if text == "auto":
        limit = memory_limit(cgroups, membership)
        room = AUTO_MAX if limit is None else max(1, (limit - BASE_MEMORY) // WORKER_MEMORY)
        return min(_usable_cpus(cgroups, membership), room, AUTO_MAX)
    if text.isascii() and text.isdigit() and int(text) <= WORKERS_MAX:
        return int(text)
    raise ValueError(f"number of workers {text!r}: give auto, or a number from 0 to {WORKERS_MAX}")


def memory_limit(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int | None:
    """Octets that this process and those beside it in its group may use; None without a limit."""
    groups = _Groups(cgroups, membership)
    limits = [int(text) for text in groups.v2("memory.max") if text != "max"]
    limits += [
        int(text) for text in groups.v1(("memory",), "memory.limit_in_bytes") if int(text) < _V1_UNLIMITED
    ]
    return min(limits, default=None)


def _usable_cpus(cgroups: Path, membership: Path) -> int:
    groups = _Groups(cgroups, membership)
    cpus: list[float] = [len(os.sched_getaffinity(0))]
    for text in groups.v2("cpu.max"):
        quota, period = text.split()
        if quota != "max":
            cpus.append(int(quota) / int(period))
    quotas = groups.v1(_V1_CPU, "cpu.cfs_quota_us")
    periods = groups.v1(_V1_CPU, "cpu.cfs_period_us")
    cpus += [
        int(quota) / int(period) for quota, period in zip(quotas, periods, strict=True) if int(quota) > 0
    ]
    return max(1, math.ceil(min(cpus)))


class _Groups:
    """The files of our control groups and of those around them, whose limits hold for us too.

    In a container the membership may name folders of the host, of which only the container's own is mounted, as the
    root: so folders that are not there are passed over, and the root always counts.
    """

    def __init__(self, cgroups: Path, membership: Path) -> None:
        self._cgroups = cgroups
        #: Group by controller; "" is version 2's, which has them all.
        self._paths: dict[str, PurePosixPath] = {}
        if membership.exists():
            for line in membership.read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                self._paths.update(dict.fromkeys(controllers.split(","), PurePosixPath(path)))

    def v2(self, file: str) -> Iterator[str]:
        return self._texts(self._cgroups, "", file)

    def v1(self, mounts: tuple[str, ...], file: str) -> Iterator[str]:
        """The first of *mounts* that there is holds the controller of that name."""
        mount = next((name for name in mounts if (self._cgroups / name).is_dir()), mounts[0])
        return self._texts(self._cgroups / mount, mounts[0], file)

    def _texts(self, root: Path, controller: str, file: str) -> Iterator[str]:
        path = self._paths.get(controller, PurePosixPath("/"))
        parts = () if ".." in path.parts else path.parts[1:]  # ".." leads out of what this namespace sees
        for depth in range(len(parts), -1, -1):
            found = root.joinpath(*parts[:depth], file)
            if found.is_file():
                yield found.read_text().strip()
