"""Names and labels fit where Kubernetes takes them, and what is looked for is there, whatever the values are."""

import re

import pytest

from tests.chart.rendering import Manifest, Values, render

pytestmark = pytest.mark.tool("helm")

#: As of RFC 1123: what names of Services, and values of labels, are at most.
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
EVERYTHING: Values = {
    "autoscaler": {"enabled": True},
    "nodeLocal": {"enabled": True},
    "prometheus": {"monitor": {"enabled": True}, "rules": {"enabled": True}, "dashboard": {"enabled": True}},
}
#: Labels with names in them.
NAMED = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "k8s-app")
LONG = "n" * 63


@pytest.mark.parametrize(
    ("release", "values"),
    [
        ("r" * 53, {}),
        ("dns", {"nameOverride": LONG}),
        ("dns", {"fullnameOverride": LONG}),
        ("dns", {"k8sAppLabelOverride": LONG}),
        ("dns", {"fullnameOverride": f"{'n' * 51}-{'n' * 11}"}),
    ],
    ids=["release", "name", "fullname", "label", "hyphen"],
)
def test_long_names(release: str, values: Values) -> None:
    found = list(render(EVERYTHING | values, release=release))
    metadata = [each["metadata"] for each in found]
    metadata += [each["spec"]["template"]["metadata"] for each in found if "template" in each.get("spec", {})]
    texts = [each["name"] for each in metadata if "name" in each]
    texts += [each["labels"][key] for each in metadata for key in NAMED if key in each["labels"]]
    assert len(texts) > 40
    assert [text for text in texts if not DNS_LABEL.fullmatch(text)] == []


def chosen(selector: dict[str, str], found: list[Manifest], kind: str) -> list[str]:
    return [
        each["metadata"]["name"]
        for each in found
        if each["kind"] == kind and selector.items() <= each["metadata"]["labels"].items()
    ]


def test_the_monitor_finds_its_service_whatever_labels_all_objects_get() -> None:
    labels = {"k8s-app": "other", "app.kubernetes.io/name": "other"}
    found = list(render({"customLabels": labels, "prometheus": {"monitor": {"enabled": True}}}))
    (monitor,) = (each for each in found if each["kind"] == "ServiceMonitor")
    names = chosen(monitor["spec"]["selector"]["matchLabels"], found, "Service")
    assert names == ["coredns-dnsserver-metrics"]
