"""The machine that the tests of this folder share the making of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.machine import Machine, machine


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as found:
        yield found
