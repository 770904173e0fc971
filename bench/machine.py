"""What was measured with what: the machine, and the versions."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.peers import system_program
from bench.subject import WORKERS_OPTION, coredns, takes
from dnsserver import __version__

#: Seconds. A program that takes longer to say its version has none.
SAY_S = 5.0


def machine() -> str:
    """Cores, memory, processor and kernel, in one line."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    kernel = f"{platform.system()} {platform.release().partition('-')[0]}"
    return (
        f"{os.cpu_count()} cores of {_processor()}, {gib:.0f} GiB, {kernel}, "
        f"Python {platform.python_version()}"
    )


def versions() -> str:
    """All programs that are here, in one line."""
    workers = f"{WORKERS_OPTION} 1" if takes(WORKERS_OPTION) else "one process"
    named = {
        f"dnsserver {__version__} ({workers})": "",
        "CoreDNS": _said((coredns(), "-version"), r"CoreDNS-(\S+)"),
        "Knot DNS": _said((system_program("knotd"), "-V"), r"version (\S+)"),
        "NSD": _said((system_program("nsd"), "-v"), r"version (\S+)"),
        "dnsperf": _said((shutil.which("dnsperf"), "-h"), r"Version (\S+)"),
    }
    return ", ".join(f"{name} {version}".strip() for name, version in named.items() if version is not None)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _said(command: Sequence[str | None], pattern: str) -> str | None:
    """What *command* says of its version; None without the program."""
    words = [word for word in command if word is not None]
    if len(words) < len(command):
        return None
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SAY_S)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "(unknown version)"
