"""Whole renderings that are kept beside the tests: `python -m tests.chart.golden` writes them anew after a change."""

from pathlib import Path

from tests.chart import node_local, options, scaling
from tests.chart.rendering import Values, render

FOLDER = Path(__file__).parent / "golden"
CASES: dict[str, Values] = {
    "default": {},
    "joined": {"service": {"joinExisting": "kube-dns"}, "deployment": {"existingConfigMap": "coredns"}},
    "pod": options.POD.values,
    "names": options.NAMES.values,
    "proportional": scaling.PROPORTIONAL.values,
    "horizontal": scaling.HORIZONTAL.values,
    "node-local": node_local.ALONE,
}


def rendered(case: str) -> str:
    return render(CASES[case], release="dnsserver").text


def path(case: str) -> Path:
    return FOLDER / f"{case}.yaml"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.yaml"):
        stale.unlink()
    for name in CASES:
        path(name).write_text(rendered(name))
