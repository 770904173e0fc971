"""What a process that can wait asks of the kernel; in a process of its own, as there is no way back."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import gc, os
from dnsserver.runtime.priority import collect_seldom, give_way, return_memory
give_way(); return_memory(); collect_seldom()
print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_BATCH, gc.get_threshold())
print(*(line.split()[-1] for line in open("/proc/self/sched") if line.startswith("se.slice")))
"""


def test_control_lets_others_go_first() -> None:
    before = subprocess.run(
        [sys.executable, "-c", "import os; print(os.nice(0))"], capture_output=True, text=True
    )
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = found.stdout.splitlines()
    nice = min(19, int(before.stdout) + 10)
    assert lines[0] == f"{nice} True (10000, 50, 50)"
    if "se.slice" in Path("/proc/self/sched").read_text():  # Linux 6.12
        assert lines[1] == "100000"
