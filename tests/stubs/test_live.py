"""Emulators against the libraries of this machine, in a network namespace."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.stubs.comparing import differences
from tests.stubs.emulating import emulated
from tests.stubs.libraries import ALL, REAL, Real, record
from tests.stubs.scenarios import SCENARIOS

#: Scenarios in which a version of a library is not emulated.
NOT_EMULATED = {"glibc": ("strict errors",), "musl": ("root in the search list",), "go": ()}
#: Times that a look-up is done again which differs: on a busy machine an answer may come later than a library waits
#: (musl: 0.25 s here), and then it rightly asks once more. A real difference stays.
AGAIN = 3


@pytest.mark.netns
@pytest.mark.alone
@pytest.mark.tool("gcc", "musl-gcc", "go", "ip", "unshare")
@pytest.mark.parametrize("real", REAL, ids=lambda real: real.name)
async def test_emulator_equals_the_library(real: Real, tmp_path: Path) -> None:
    program = real.program(tmp_path)
    found = await _differing(real, program, [title for title in ALL if title not in NOT_EMULATED[real.name]])
    for _ in range(AGAIN):
        if found:
            found = await _differing(real, program, list(found))
    assert found == {}


async def _differing(real: Real, program: Path, titles: Sequence[str]) -> dict[str, list[str]]:
    """Of the scenarios with these *titles* those that differ, and how."""
    recorded = record([program], titles)
    found = {}
    for scenario in SCENARIOS:
        if scenario.title in titles:
            told = await emulated(real.emulator(), scenario)
            found[scenario.title] = list(
                differences(told, recorded[scenario.title], concurrent=real.name == "go")
            )
    return {title: told for title, told in found.items() if told}
