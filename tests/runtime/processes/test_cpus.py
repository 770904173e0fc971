"""What the control groups say, in the files of both versions."""

import os
from pathlib import Path

import pytest

from dnsserver.runtime.processes import memory_limit, worker_count

MANY = 1 << 10
"""CPUs of a large machine."""


class Groups:
    """A file system of control groups, and the list of those that we are in."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "cgroup"
        self.membership = folder / "self"

    def make(self, membership: str, files: dict[str, str]) -> None:
        self.membership.write_text(membership)
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")


@pytest.fixture
def groups(tmp_path: Path) -> Groups:
    return Groups(tmp_path)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with more CPUs than any of the limits, whatever this one has."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(MANY))


V1 = "4:memory:/pod/box\n3:cpu,cpuacct:/pod/box\n1:name=systemd:/\n0::/\n"

CPUS = {
    "no groups": ("", {}, 8),
    "no limit": ("0::/\n", {"cpu.max": "max 100000"}, 8),
    "two": ("0::/\n", {"cpu.max": "200000 100000"}, 2),
    "part of one": ("0::/\n", {"cpu.max": "10000 100000"}, 1),
    "rounded up": ("0::/\n", {"cpu.max": "250000 100000"}, 3),
    "more than the most": ("0::/\n", {"cpu.max": "6400000 100000"}, 8),
    "of the group around": ("0::/pod/box\n", {"pod/cpu.max": "300000 100000", "pod/box/cpu.max": "max 1"}, 3),
    "own": ("0::/pod/box\n", {"pod/cpu.max": "300000 100000", "pod/box/cpu.max": "100000 100000"}, 1),
    "folders of the host": ("0::/kubepods/pod1\n", {"cpu.max": "200000 100000"}, 2),
    "outside of the namespace": ("0::/../other\n", {"cpu.max": "200000 100000"}, 2),
    "version 1": (V1, {"cpu/cpu.cfs_quota_us": "150000", "cpu/cpu.cfs_period_us": "100000"}, 2),
    "version 1, joined": (
        V1,
        {"cpu,cpuacct/pod/cpu.cfs_quota_us": "50000", "cpu,cpuacct/pod/cpu.cfs_period_us": "10000"},
        5,
    ),
    "version 1, no limit": (V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
    "memory for one, as kubeadm has it": ("0::/\n", {"memory.max": f"{170 << 20}"}, 1),
    "memory for two": ("0::/\n", {"memory.max": f"{192 << 20}"}, 2),
    "memory for none": ("0::/\n", {"memory.max": f"{64 << 20}"}, 1),
    "memory for all": ("0::/\n", {"memory.max": f"{1 << 30}"}, 8),
    "memory for more than CPUs": ("0::/\n", {"memory.max": f"{256 << 20}", "cpu.max": "200000 100000"}, 2),
}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("membership", "files", "count"), CPUS.values(), ids=CPUS)
def test_auto_is_one_worker_per_cpu(
    membership: str, files: dict[str, str], count: int, groups: Groups
) -> None:
    groups.make(membership, files)
    assert worker_count("auto", groups.root, groups.membership) == count


def test_auto_counts_the_cpus_that_this_process_may_run_on(groups: Groups) -> None:
    groups.make("0::/\n", {})
    assert worker_count("auto", groups.root, groups.membership) == min(8, len(os.sched_getaffinity(0)))


@pytest.mark.parametrize("text", ["0", "1", "64"])
def test_number_of_workers(text: str) -> None:
    assert worker_count(text) == int(text)


@pytest.mark.parametrize("text", ["", "65", "-1", "1.5", "two", "AUTO", "٣", " 1"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"give auto, or a number from 0 to 64$"):
        worker_count(text)


MEMORY = {
    "no groups": ("", {}, None),
    "no limit": ("0::/\n", {"memory.max": "max"}, None),
    "limit": ("0::/\n", {"memory.max": "178257920"}, 178257920),
    "of the group around": ("0::/a/b\n", {"a/memory.max": "1000", "a/b/memory.max": "2000"}, 1000),
    "version 1": (V1, {"memory/pod/box/memory.limit_in_bytes": "4096"}, 4096),
    "version 1, no limit": (V1, {"memory/pod/box/memory.limit_in_bytes": "9223372036854771712"}, None),
}


@pytest.mark.parametrize(("membership", "files", "limit"), MEMORY.values(), ids=MEMORY)
def test_memory_limit(membership: str, files: dict[str, str], limit: int | None, groups: Groups) -> None:
    groups.make(membership, files)
    assert memory_limit(groups.root, groups.membership) == limit


def test_limits_of_this_machine_can_be_read() -> None:
    assert 1 <= worker_count("auto") <= 8
    limit = memory_limit()
    assert limit is None or limit > 0
