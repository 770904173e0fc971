"""Rendered objects fit the schemas of the oldest, a middle and the newest version of Kubernetes that we know."""

import functools
import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart import node_local, options, scaling
from tests.chart.rendering import CHART, Manifest, Values, render
from tests.chart.test_options import SCHEMA

pytestmark = pytest.mark.tool("helm")

OFFICIAL = sorted((Path(__file__).parent / "official").glob("*.yaml"))
#: Of the Prometheus Operator, as its API reference has them: kind -> fields of spec (True: it has to be there).
CUSTOM = {
    "ServiceMonitor": {"endpoints": True, "selector": True, "jobLabel": False, "namespaceSelector": False},
    "PodMonitor": {
        "podMetricsEndpoints": True,
        "selector": True,
        "jobLabel": False,
        "namespaceSelector": False,
    },
    "PrometheusRule": {"groups": True},
}
ENDPOINT = {
    *("port", "interval", "scrapeTimeout", "scheme", "honorLabels"),
    *("tlsConfig", "relabelings", "metricRelabelings"),
}
DURATION = re.compile(r"([0-9]+(ms|[smhdwy]))+")


def oldest() -> str:
    """The version that Chart.yaml asks for."""
    constraint = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    found = re.fullmatch(r">=(\d+\.\d+)\.0-0", constraint)
    assert found is not None, constraint
    return found[1]


VERSIONS = (oldest(), "1.30", kubernetes_validate.latest_version())
CASES: dict[str, Values] = {
    "default": {},
    "node-local": node_local.ALONE,
    **{batch.name: batch.values for batch in (node_local.FORWARDING, node_local.WATCHING)},
    **{batch.name: batch.values for batch in (options.POD, options.NAMES, options.MONITORING)},
    **{
        batch.name: batch.values
        for batch in (scaling.PROPORTIONAL, scaling.HORIZONTAL, scaling.ONE_WITH_CLAIM)
    },
    **{path.stem: yaml.safe_load(path.read_text()) for path in OFFICIAL},
}


@functools.cache
def problem(text: str, version: str) -> str:
    """What is wrong with an object, as JSON; "" when nothing is."""
    manifest = json.loads(text)
    if manifest["apiVersion"] == "monitoring.coreos.com/v1":
        return custom_problem(manifest)
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return f"{manifest['kind']}: {error.message}"
    return ""


def custom_problem(manifest: Manifest) -> str:
    fields, spec = CUSTOM[manifest["kind"]], manifest["spec"]
    if unknown := spec.keys() - fields.keys():
        return f"unknown fields {unknown}"
    if missing := {name for name, needed in fields.items() if needed} - spec.keys():
        return f"fields {missing} are missing"
    for endpoint in spec.get("endpoints", []) + spec.get("podMetricsEndpoints", []):
        if endpoint.keys() - ENDPOINT or "port" not in endpoint:
            return f"endpoint {endpoint}"
        if not all(DURATION.fullmatch(endpoint.get(key, "1s")) for key in ("interval", "scrapeTimeout")):
            return f"times of {endpoint}"
    rules = [rule for group in spec.get("groups", []) for rule in group["rules"]]
    wrong = [rule for rule in rules if rule.keys() - {"alert", "expr", "for", "labels", "annotations"}]
    return f"rules {wrong}" if wrong else ""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_objects_fit(case: str, version: str) -> None:
    manifests = list(render(CASES[case], kube_version=version))
    assert [found for each in manifests if (found := problem(json.dumps(each), version))] == []


def test_an_object_that_does_not_fit_is_noticed() -> None:
    deployment = {**render().get("Deployment")}
    deployment["spec"] = {**deployment["spec"], "replica": 2}
    assert "replica" in problem(json.dumps(deployment), VERSIONS[0])


def properties(schema: Values, place: str = "") -> set[str]:
    """The options that values.schema.json knows, as dotted names."""
    found = set()
    for key, inner in schema.get("properties", {}).items():
        resolved: Any = SCHEMA["$defs"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
        found |= properties(resolved, f"{place}{key}.") or {f"{place}{key}"}
    return found


def keys(values: Values, place: str = "") -> set[str]:
    found = set()
    for key, inner in values.items():
        found |= (keys(inner, f"{place}{key}.") if isinstance(inner, dict) else set()) or {f"{place}{key}"}
    return found


def test_schema_and_values_know_the_same_options() -> None:
    """Those without a default in values.yaml are the few that helm, other charts or old clusters have."""
    defaults = keys(yaml.safe_load((CHART / "values.yaml").read_text()))
    known = properties(SCHEMA)
    assert {
        each for each in known if not any(key == each or key.startswith(f"{each}.") for key in defaults)
    } == {
        "global",
        "rbac.pspEnable",
        "podDisruptionBudget.minAvailable",
        "podDisruptionBudget.selector",
        "podDisruptionBudget.unhealthyPodEvictionPolicy",
    }
