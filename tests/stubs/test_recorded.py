"""Emulators against recordings of the real libraries, also of versions that are not installed here.

A recording is made anew, as root, by

    python -m tests.stubs.rerecord NAME COMMAND...

where COMMAND is a program of `programs.py`, behind the loader of another version if need be.
"""

import json
from pathlib import Path

import pytest

from tests.stubs.comparing import differences
from tests.stubs.emulating import emulated
from tests.stubs.scenarios import SCENARIOS
from tests.stubs.scripted import Scenario

RECORDED = Path(__file__).parent / "recorded"
#: Recording -> the emulator that stands for it.
RECORDINGS = {
    "glibc-2.41": "glibc",
    "glibc-2.36": "glibc",
    "glibc-2.31": "glibc-2.31",
    "musl-1.2.5": "musl",
    "musl-1.2.3": "musl-1.2.3",
    "go-1.26": "go",
    "go-1.21": "go",
}
#: What is not emulated: 2.36 knows no strict-error yet; 1.2.3 sends malformed queries.
DEPARTURES = {("glibc-2.36", "strict errors"), ("musl-1.2.3", "root in the search list")}


@pytest.mark.parametrize("recording", RECORDINGS)
async def test_emulator_equals_the_recording(recording: str) -> None:
    recorded = json.loads((RECORDED / f"{recording}.json").read_text())
    assert list(recorded) == [scenario.title for scenario in SCENARIOS]
    emulator = RECORDINGS[recording]
    found = {
        (recording, scenario.title): await _differences(emulator, scenario, recorded[scenario.title])
        for scenario in SCENARIOS
    }
    assert {place: told for place, told in found.items() if told and place not in DEPARTURES} == {}
    assert all(found[place] for place in DEPARTURES if place[0] == recording), "they agree now: no departure"


async def _differences(emulator: str, scenario: Scenario, recorded: dict[str, object]) -> list[str]:
    return list(differences(await emulated(emulator, scenario), recorded, concurrent=emulator == "go"))
