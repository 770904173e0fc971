"""What each test is given, and what must be gone after it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.cluster import ApiServer, Background
from tests.chaos.server import processes_with
from tests.support.process import free_port, wait_until

#: Where the server puts what it shares, if it is not told where.
MEMORY = Path("/dev/shm")
#: Seconds. What ends with its parent ends at once; a loaded machine takes a little.
END_S = 5.0


@pytest.fixture
def background() -> Iterator[Background]:
    with Background() as found:
        yield found


@pytest.fixture
def api(background: Background) -> Iterator[ApiServer]:
    with ApiServer(background) as found:
        yield found


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def seconds() -> float:
    """How long the tests that kill go on killing."""
    return float(os.environ.get("CHAOS_SECONDS", "10"))


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """Every process of a test has its folder in the command line."""
    before = _shared()
    yield
    wait_until(
        lambda: not processes_with(str(tmp_path)), lambda: f"left: {processes_with(str(tmp_path))}", END_S
    )
    assert _shared() <= before, "memory that is shared with nobody"


def _shared() -> set[str]:
    """Folders and files of servers; others may run on this machine, but none that begins with a test."""
    return {entry.name for entry in MEMORY.iterdir() if entry.name.startswith("dnsserver")}
