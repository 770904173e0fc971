"""The dashboard; tests/plugins/prometheus evaluates its expressions over what a server says of itself."""

import itertools
import json
from typing import Any

import pytest

from tests.chart.rendering import CHART, render

TEXT = (CHART / "files" / "dashboard.json").read_text()
PANELS: list[dict[str, Any]] = json.loads(TEXT)["panels"]
#: Grafana's grid.
COLUMNS = 24


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return set(itertools.product(columns, rows))


def test_panels_have_numbers_and_places_of_their_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken = [cell for panel in PANELS for cell in cells(panel)]
    assert len(set(taken)) == len(taken)
    assert max(column for column, _ in taken) < COLUMNS


def test_panels_read_what_was_chosen() -> None:
    for target in (target for panel in PANELS for target in panel.get("targets", ())):
        assert target["datasource"]["uid"] == "$datasource"
        assert 'job="$job",instance=~"$instance"' in target["expr"]


@pytest.mark.tool("helm")
def test_config_map_has_it_for_the_sidecar() -> None:
    found = render({"prometheus": {"dashboard": {"enabled": True}}}).get(
        "ConfigMap", "coredns-dnsserver-dashboard"
    )
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["data"] == {"dnsserver.json": TEXT}
