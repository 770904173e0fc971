"""The manual: a section for each cause and rule, and examples whose output is true."""

import re
import shlex
from pathlib import Path

import pytest

from dnsserver.explaining import rules
from dnsserver.explaining.cause import SHORT
from tests.support.process import REPOSITORY, command_line, environment
from tests.support.tools import run

DOCS = REPOSITORY / "docs"
_SECTION = re.compile(r"^### ([a-z-]+)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^```console\n\$ dnsserver (explain [^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RULES = re.compile(r"""Rule\(\s*"([a-z-]+)"|\("([a-z-]+)", "The """)


def sections(page: str) -> list[str]:
    return _SECTION.findall((DOCS / page).read_text())


def test_every_cause_has_its_section() -> None:
    assert sections("causes.md") == list(SHORT)


@pytest.mark.parametrize("code", SHORT)
def test_sections_begin_with_the_short_text(code: str) -> None:
    text = (DOCS / "causes.md").read_text()
    section = text.partition(f"### {code}\n")[2].partition("\n#")[0]
    assert section.replace("\n", " ").startswith(f'"{SHORT[code]}".')


def test_every_rule_has_its_section() -> None:
    used = {one or other for one, other in _RULES.findall(Path(rules.__file__).read_text())} | {
        "another-plugin"
    }
    assert used == set(sections("names.md"))


EXAMPLES = _EXAMPLE.findall((DOCS / "explain.md").read_text())


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_examples_are_true(command: str, shown: str) -> None:
    done = run(command_line(shlex.split(command)), cwd=REPOSITORY, env={**environment(), "COLUMNS": "100"})
    assert done.stderr == ""
    assert done.stdout == shown


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5
