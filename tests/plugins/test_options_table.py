"""The table of docs/corefile.md has every plugin of CoreDNS and ours, and every option that the manuals have."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from dnsserver.plugins.table import ORDER, SETUPS

REPOSITORY = Path(__file__).resolve().parents[2]
MANUAL = REPOSITORY / "docs" / "corefile.md"
STATES = {"supported", "differs", "refused", "ours"}


class Row(NamedTuple):
    plugin: str
    options: str
    state: str
    remarks: str


def rows() -> list[Row]:
    table = MANUAL.read_text().partition("| plugin | options | state | remarks |\n")[2].partition("\n\n")[0]
    found = [[cell.strip() for cell in line.strip("|").split(" |")] for line in table.splitlines()[1:]]
    return [Row(plugin, *cells) for first, *cells in found for plugin in first.split(", ")]


ROWS = rows()


def test_every_plugin_is_there() -> None:
    assert {row.plugin for row in ROWS} == set(ORDER)
    assert {row.state for row in ROWS} == STATES
    assert [row for row in ROWS if row.state in ("differs", "refused") and not row.remarks] == []


def test_what_is_refused_is_refused() -> None:
    """All of a plugin, exactly when there is none."""
    served = {row.plugin for row in ROWS if row.state != "refused"}
    assert served == set(SETUPS)


@pytest.mark.parametrize("plugin", sorted(SETUPS))
def test_every_option_of_the_manual_is_there(plugin: str) -> None:
    readme = (REPOSITORY / "dnsserver" / "plugins" / plugin / "README.md").read_text()
    syntax = re.search(r"## Syntax\n+```\w*\n(.*?)```", readme, re.DOTALL)
    assert syntax is not None
    options = re.findall(r"^    ([a-z_0-9|]+)", syntax[1], re.MULTILINE)
    told = " ".join(row.options + row.remarks for row in ROWS if row.plugin == plugin)
    assert [word for option in options for word in option.split("|") if f"`{word}" not in told] == []
