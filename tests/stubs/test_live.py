"""Emulators against the libraries of this machine, in a network namespace."""

from pathlib import Path

import pytest

from tests.stubs.comparing import differences
from tests.stubs.emulating import emulated
from tests.stubs.libraries import REAL, Real, record
from tests.stubs.scenarios import SCENARIOS

#: Scenarios in which a version of a library is not emulated.
NOT_EMULATED = {"glibc": ("strict errors",), "musl": ("root in the search list",), "go": ()}


@pytest.mark.netns
@pytest.mark.alone
@pytest.mark.tool("gcc", "musl-gcc", "go", "ip", "unshare")
@pytest.mark.parametrize("real", REAL, ids=lambda real: real.name)
async def test_emulator_equals_the_library(real: Real, tmp_path: Path) -> None:
    recorded = record([real.program(tmp_path)])
    emulator = real.emulator()
    found = {
        scenario.title: list(
            differences(
                await emulated(emulator, scenario), recorded[scenario.title], concurrent=real.name == "go"
            )
        )
        for scenario in SCENARIOS
        if scenario.title not in NOT_EMULATED[real.name]
    }
    assert {title: told for title, told in found.items() if told} == {}
