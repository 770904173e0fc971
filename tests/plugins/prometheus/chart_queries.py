"""Expressions of the dashboard and the alerts in `chart/files`, as Grafana and Prometheus run them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.plugins.prometheus.queries import SPAN, Read

FILES = Path(__file__).resolve().parents[3] / "chart" / "files"
VARIABLES = {"$job": "kube-dns", "$instance": ".+", "$__rate_interval": SPAN}
#: What an alert compares with: left away, as nothing should fire.
_THRESHOLD = re.compile(r"\s(==|>)\s[\d.]+(?=\)?$)")
_ABSENT = re.compile(r"^absent\((.*)\)$")


def _panels() -> Iterator[Read]:
    for panel in json.loads((FILES / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            wanted = " ".join(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            yield Read(f"dashboard: {panel['title']}", expression, wanted)


def _alerts() -> Iterator[Read]:
    for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            expression = _ABSENT.sub(r"\1", _THRESHOLD.sub("", rule["expr"]))
            wanted = " ".join(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
            yield Read(f"alert: {rule['alert']}", expression, wanted)


CHART_READS = (*_panels(), *_alerts())
