"""The manual of the chart lists each value with its default."""

import json
import re

import yaml

from tests.chart.rendering import CHART, Values
from tests.chart.test_options import leaves

README = (CHART / "README.md").read_text()
VALUES: Values = yaml.safe_load((CHART / "values.yaml").read_text())
ROW = re.compile(r"^\| `(?P<option>[^`]+)` \| (?P<default>.+?) \| (?P<meaning>.*) \|$", re.MULTILINE)
#: Too long for a table.
IN_VALUES = "see values.yaml"


def at(option: str) -> object:
    value: object = VALUES
    for key in option.split("."):
        assert isinstance(value, dict), option
        value = value.get(key, "none")
    return value


def test_every_value_with_its_default() -> None:
    table = README.partition("\n## Values\n")[2].partition("\n## ")[0]
    rows = {found["option"]: found["default"] for found in ROW.finditer(table)}
    assert rows.keys() == set(leaves(VALUES))
    for option, shown in rows.items():
        if shown != IN_VALUES:
            assert json.loads(shown.strip("`")) == at(option), option


def test_what_differs_is_so_here() -> None:
    """The column "here" of the values that are one number, word or truth."""
    table = README.partition("\n## What differs from the official chart\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| [^|]+ \| `?([\w-]+)`? \|", table, re.MULTILINE)
    assert len(rows) > 5
    for option, shown in rows:
        value = at(option)
        assert shown == ({True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)), (
            option
        )
