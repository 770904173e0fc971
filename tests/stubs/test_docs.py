"""docs/resolve.md shows what the command really prints, and figures that emulators really give."""

import re
import shlex
from pathlib import Path

import pytest

from tests.end_to_end.commands import finish
from tests.stubs.emulating import emulated
from tests.stubs.scenarios import FOUND, SCENARIOS, SVC
from tests.stubs.scripted import Scenario
from tests.support.process import REPOSITORY

PAGE = REPOSITORY / "docs" / "resolve.md"
CONSOLE = re.compile(r"```console\n\$ dnsserver (?P<command>.*)\n(?P<output>(?:.*\n)*?)```")
SECONDS = re.compile(r"\b(\d+\.\d) s\b")
#: Seconds. A busy machine answers later.
TOLERANCE_S = 0.6

TROUBLES = {
    "every query is lost": "* ANY DROP",
    "the first answer for AAAA is lost": f"{SVC} AAAA#1 DROP\n{FOUND}",
    "all answers for AAAA are lost": f"{SVC} AAAA DROP\n{FOUND}",
    "SERVFAIL for all": "* ANY SERVFAIL",
    "SERVFAIL for AAAA": f"{SVC} AAAA SERVFAIL\n{FOUND}",
    "NXDOMAIN for AAAA": f"{SVC} A 10.0.0.1",
    "REFUSED for all": "* ANY REFUSED",
}
EXAMPLES = list(CONSOLE.finditer(PAGE.read_text()))


@pytest.mark.parametrize("example", EXAMPLES, ids=[str(number) for number in range(len(EXAMPLES))])
def test_command_prints_what_is_shown(example: re.Match[str], tmp_path: Path) -> None:
    faults = tmp_path / "faults.txt"
    faults.write_text(re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])
    words = [str(faults) if word == faults.name else word for word in shlex.split(example["command"])]
    done = finish(*words, cwd=REPOSITORY)
    assert done.stderr == ""
    assert SECONDS.sub("N s", done.stdout) == SECONDS.sub("N s", example["output"])
    shown, printed = (list(map(float, SECONDS.findall(text))) for text in (example["output"], done.stdout))
    assert shown == pytest.approx(printed, abs=TOLERANCE_S)


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_figures(trouble: str) -> None:
    cells = [trouble]
    for library in ("glibc", "musl", "go"):
        told = await emulated(library, Scenario("", "web", TROUBLES[trouble], options="ndots:5"))
        result = "found" if told.outcome.addresses else told.outcome.error.rpartition(": ")[2]
        cells.append(f"{len(told.asked)}; {told.seconds:g} s; {result}")
    assert f"| {' | '.join(cells)} |" in PAGE.read_text()


def test_number_of_situations() -> None:
    assert f"`tests/stubs` has {len(SCENARIOS)} situations" in PAGE.read_text()
