"""The metrics of processes against what the processes did."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dnsserver.observability import process_metrics
from dnsserver.observability.process_metrics import process_families

#: A parent that has burnt CPU time, and has a child that holds memory and has burnt as much.
TREE = """
import os, sys, time
def burn():
    until = time.process_time() + 0.3
    while time.process_time() < until: pass
burn()
if not os.fork():
    held = bytearray(os.urandom(1) * (48 << 20))
    burn()
    print("ready", flush=True)
    time.sleep(60)
time.sleep(60)
"""


def numbers(root: int) -> dict[str, float]:
    return {family.name: family.samples[0][1] for family in process_families(root)}


def test_this_process() -> None:
    found = numbers(os.getpid())
    assert set(found) == {
        f"process_{name}"
        for name in (
            "cpu_seconds_total resident_memory_bytes virtual_memory_bytes open_fds max_fds start_time_seconds"
        ).split()
    }
    assert found["process_cpu_seconds_total"] == pytest.approx(sum(os.times()[:4]), abs=0.5)
    assert abs(found["process_start_time_seconds"] - time.time()) < 86_400
    assert found["process_start_time_seconds"] <= time.time() + 1


def test_a_process_and_its_child() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TREE], stdout=subprocess.PIPE, start_new_session=True
    ) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"ready\n"
            found = numbers(parent.pid)
            assert found["process_cpu_seconds_total"] >= 0.55
            assert found["process_resident_memory_bytes"] > 48 << 20
            assert found["process_virtual_memory_bytes"] > found["process_resident_memory_bytes"]
            assert found["process_open_fds"] >= 6
        finally:
            os.killpg(parent.pid, 9)


def test_no_such_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_metrics, "PROC", tmp_path)
    assert numbers(os.getpid()) == {}
