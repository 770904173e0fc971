"""The real libraries of this machine: which emulator each belongs to, and what they do in all scenarios."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.netns import CONFIGURATION, Namespace
from tests.stubs.programs import glibc_program, go_program, musl_program
from tests.stubs.scenarios import SCENARIOS
from tests.stubs.scripted import HOSTS
from tests.support.process import REPOSITORY
from tests.support.tools import run, tool

ALL = tuple(scenario.title for scenario in SCENARIOS)
#: Seconds. All scenarios with one library: most of it is waiting for time-outs of a second.
PATIENCE_S = 60.0
#: What containers have.
NSSWITCH = "hosts: files dns\n"


@dataclass(frozen=True, slots=True)
class Real:
    """A library and the program that uses it; `emulator` names the one that stands for the version installed."""

    name: str
    program: Callable[[Path], Path]
    emulator: Callable[[], str]


def _glibc() -> str:
    _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0").split()
    return "glibc" if _numbers(version) >= (2, 36) else "glibc-2.31"


def _musl() -> str:
    """musl's loader says its version when it is given nothing to load."""
    loader = next(Path("/lib").glob("ld-musl-*.so.1"))
    version = next(line for line in run((loader,)).stderr.splitlines() if line.startswith("Version"))
    return "musl" if _numbers(version.split()[1]) >= (1, 2, 4) else "musl-1.2.3"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


REAL = (
    Real("glibc", glibc_program, _glibc),
    Real("musl", musl_program, _musl),
    Real("go", go_program, lambda: "go"),
)


def record(command: Sequence[str | Path], titles: Sequence[str] = ALL) -> dict[str, Any]:
    """Run the scenarios with these *titles* with *command* in a network namespace; needs root."""
    tool("unshare")
    with Namespace() as namespace:
        folder = CONFIGURATION / namespace.name
        (folder / "nsswitch.conf").write_text(NSSWITCH)
        (folder / "hosts").write_text(HOSTS)
        words = (
            *namespace.prefix,
            sys.executable,
            "-m",
            "tests.stubs.recording",
            json.dumps(titles),
            *map(str, command),
        )
        done = subprocess.run(
            words, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found
