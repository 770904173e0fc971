"""`dnsserver lint`: mistakes in manifests, found without asking."""

import json
import re
from pathlib import Path

import pytest

from dnsserver.explaining.finding import SEVERITIES
from tests.end_to_end.commands import SERVICE, Finish
from tests.support.process import REPOSITORY

DOCS = REPOSITORY / "docs" / "names-lint-diff.md"
#: Manifests in use, and ours: nothing is wrong with them.
GOOD = (
    "zones/demo",
    "zones/statefulset",
    "tests/node/daemonset.yaml",
    "tests/sample_project/manifests",
    *(
        f"tests/chart/golden/{path.name}"
        for path in sorted((REPOSITORY / "tests/chart/golden").glob("*.yaml"))
        if path.name != "node-local.yaml"  # its upstream Service chooses the pods of what is there already
    ),
)


def service(name: str, spec: str, namespace: str = "shop") -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n---\n"


def workload(kind: str, more: str = "", pod: str = "", container: str = "") -> str:
    """Called app, with the label app=app."""
    return f"""\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: app, namespace: shop}}
spec:
  {more}
  selector: {{matchLabels: {{app: app}}}}
  template:
    metadata: {{labels: {{app: app}}}}
    spec:
      {pod}
      containers:
      - {{name: main, image: app, ports: [{{name: http, containerPort: 80}}], {container}}}
---
"""


def env(value: str) -> str:
    return f'env: [{{name: URL, value: "{value}"}}]'


WEB = service("web", "ports: [{port: 80}]")
APP = service("app", "clusterIP: None, selector: {app: app}, ports: [{name: http, port: 80}]")
MISTAKES = (
    ("selector-matches-nothing", "warning", service("app", "selector: {app: ap}") + workload("Deployment")),
    ("selector-matches-nothing", "info", service("app", "selector: {app: app}")),
    (  # as operators make it: what is there is of the same application, and something else
        "selector-matches-nothing",
        "info",
        service("db", "selector: {app: other, app.kubernetes.io/part-of: shop}")
        + workload("Deployment").replace(
            "labels: {app: app}", "labels: {app: app, app.kubernetes.io/part-of: shop}"
        ),
    ),
    (
        "slices-of-host-names",
        "warning",
        service("out", "clusterIP: None")
        + "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: FQDN\n"
        "metadata: {name: out-1, namespace: shop, labels: {kubernetes.io/service-name: out}}\n"
        "endpoints: [{addresses: [db.example.com]}]\n",
    ),
    ("service-without-selector", "warning", service("db", "clusterIP: None")),
    (
        "target-port-missing",
        "warning",
        service("app", "selector: {app: app}, ports: [{port: 80, targetPort: web}]") + workload("Deployment"),
    ),
    ("service-name-mismatch", "error", APP + workload("StatefulSet", "serviceName: ap")),
    ("service-name-mismatch", "info", WEB + workload("StatefulSet", "serviceName: app")),
    (
        "service-not-headless",
        "warning",
        service("app", "selector: {app: app}") + workload("StatefulSet", "serviceName: app"),
    ),
    ("external-name-is-address", "error", service("out", "type: ExternalName, externalName: 192.0.2.1")),
    ("external-name-invalid", "error", service("out", "type: ExternalName, externalName: 'http://db.test'")),
    ("external-name-invalid", "error", service("out", "type: ExternalName, externalName: 'db.test:5432'")),
    ("external-name-invalid", "error", service("out", "type: ExternalName")),
    (
        "external-name-target-missing",
        "error",
        WEB + service("out", "type: ExternalName, externalName: wev.shop.svc.cluster.local"),
    ),
    (
        "external-name-target-missing",
        "info",
        service("out", "type: ExternalName, externalName: db.other.svc.cluster.local"),
    ),
    (
        "external-name-not-complete",
        "error",
        WEB + service("out", "type: ExternalName, externalName: web.shop"),
    ),
    ("external-name-not-complete", "error", WEB + service("out", "type: ExternalName, externalName: web")),
    (
        "external-name-not-complete",
        "error",
        WEB + service("out", "type: ExternalName, externalName: web.shop.svc.corp.internal"),
    ),
    (
        "external-name-loop",
        "error",
        service("out", "type: ExternalName, externalName: out.shop.svc.cluster.local"),
    ),
    ("manifest", "error", "kind: Service\napiVersion: v1\nmetadata: {name: Web_1}\n"),
    ("manifest", "error", WEB + WEB),
    ("manifest", "error", "kind: [\n"),
    ("port-name-invalid", "error", service("web", "ports: [{name: my_port, port: 80}]")),
    ("port-name-twice", "error", service("web", "ports: [{name: a, port: 80}, {name: a, port: 81}]")),
    ("port-name-long", "info", service("web", "ports: [{name: a-name-of-sixteen, port: 80}]")),
    ("subdomain-without-service", "warning", workload("Deployment", pod="subdomain: app")),
    (
        "subdomain-without-service",
        "warning",
        service("app", "selector: {app: app}") + workload("Deployment", pod="subdomain: app"),
    ),
    ("hostname-without-subdomain", "info", workload("Deployment", pod="hostname: app")),
    ("reference-not-found", "error", WEB + workload("Deployment", container=env("http://wev.shop.svc:80/x"))),
    (
        "reference-not-found",
        "warning",  # perhaps of another chart
        WEB + workload("Deployment", container="args: ['--db=db.shop.svc.cluster.local.']"),
    ),
    ("reference-not-found", "info", workload("Deployment", container=env("tcp://loki.logging.svc"))),
    (
        "host-network-dns",
        "error",
        WEB + workload("Deployment", pod="hostNetwork: true", container=env("web.shop.svc")),
    ),
    ("dns-policy-without-servers", "error", workload("Deployment", pod="dnsPolicy: None")),
    (
        "ndots-invalid",
        "error",
        workload("Deployment", pod="dnsConfig: {options: [{name: ndots, value: two}]}"),
    ),
    ("hides-outside-name", "warning", service("example", "ports: [{port: 80}]", "com")),
    (
        "endpoints-deprecated",
        "info",
        "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: shop}\n---\n" + WEB,
    ),
)


@pytest.mark.parametrize(
    ("code", "severity", "text"),
    MISTAKES,
    ids=[f"{code}-{number}" for number, (code, *_) in enumerate(MISTAKES)],
)
def test_mistake(code: str, severity: str, text: str, tmp_path: Path, call: Finish) -> None:
    (tmp_path / "app.yaml").write_text(text)
    done = call("lint", "app.yaml", "--severity", "info", "--json")
    found = json.loads(done.stdout)["findings"]
    assert [(each["code"], each["severity"]) for each in found] == [(code, severity)]
    assert (done.returncode, done.stderr) == (1, "")
    assert (found[0]["file"], found[0]["line"] > 0) == ("app.yaml", True)


NO_MISTAKES = (
    WEB + workload("Deployment", container=env("http://web.shop.svc:80 web.shop.svc.cluster.local,web.shop")),
    APP + workload("StatefulSet", "serviceName: app", container=env("app-0.app.shop.svc.cluster.local")),
    APP + workload("StatefulSet", "serviceName: app", container=env("_http._tcp.app.shop.svc")),
    WEB
    + workload("Deployment", container=env("http://$(NAME).shop.svc http://{{ .Name }}.shop.svc *.shop.svc")),
    WEB
    + workload(
        "Deployment", container=env("https://kubernetes.default.svc kubernetes.default.svc.cluster.local")
    ),
    WEB
    + workload(
        "Deployment", container=env("wev.shop.svc.example.org x.wev.shop.svcs a.svc mail@web.shop.svc")
    ),
    WEB
    + workload(
        "Deployment",
        pod="hostNetwork: true\n      dnsPolicy: ClusterFirstWithHostNet",
        container=env("web.shop.svc"),
    ),
    service("out", "type: ExternalName, externalName: db.example.com."),
    APP + workload("Deployment", "replicas: 0"),
    WEB + workload("Deployment", pod="dnsConfig: {options: [{name: ndots, value: '1'}]}"),
)


@pytest.mark.parametrize("text", NO_MISTAKES, ids=range(len(NO_MISTAKES)))
def test_no_mistake(text: str, tmp_path: Path, call: Finish) -> None:
    (tmp_path / "app.yaml").write_text(text)
    done = call("lint", "app.yaml", "--severity", "info")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("place", GOOD)
def test_no_false_alarm(place: str, call: Finish) -> None:
    done = call("lint", str(REPOSITORY / place))
    assert (done.returncode, done.stdout) == (0, "")


def test_every_code_has_a_row_and_a_case() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning|info)", DOCS.read_text(), re.MULTILINE)
    assert dict(rows) == {code: severity.word for code, severity in SEVERITIES.items()}
    assert {code for code, *_ in MISTAKES} == SEVERITIES.keys()


def test_what_is_not_to_be_told(tmp_path: Path, call: Finish) -> None:
    text = service("out", "type: ExternalName, externalName: 192.0.2.1")
    (tmp_path / "app.yaml").write_text(text)
    assert call("lint").stdout.startswith("app.yaml:1: error external-name-is-address: externalName of ")
    assert call("lint", "--ignore", "external-name-is-address").returncode == 0
    note = 'annotations: {dnsserver/lint-ignore: "x, external-name-is-address"}'
    noted = text.replace("namespace: shop", f"namespace: shop, {note}")
    (tmp_path / "app.yaml").write_text(noted)
    assert call("lint").returncode == 0
    (tmp_path / "app.yaml").write_text(service("db", "clusterIP: None"))
    assert call("lint").returncode == 1
    assert call("lint", "--severity", "error").returncode == 0


def test_annotations_for_github(tmp_path: Path, call: Finish) -> None:
    (tmp_path / "a,b.yaml").write_text(service("db", "clusterIP: None"))
    (line,) = call("lint", "--format", "github").stdout.splitlines()
    assert line.startswith(
        "::warning file=a%2Cb.yaml,line=1,title=service-without-selector::Service shop/db has no "
    )


def test_standard_input(call: Finish) -> None:
    done = call("lint", "-", text=service("db", "clusterIP: None"))
    assert done.returncode == 1
    assert "service-without-selector" in done.stdout
    assert call("lint", "-", text=SERVICE).returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.yaml"], "none.yaml: no such file or folder"),
        (["--ignore", "x"], "--ignore"),
        (["--severity", "x"], "x"),
    ],
    ids=["no manifest", "no such code", "no such severity"],
)
def test_wrong_use(words: list[str], told: str, call: Finish) -> None:
    done = call("lint", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_what_cannot_be_read_is_said_once(tmp_path: Path, call: Finish) -> None:
    """By a source that would serve it, it is logged too."""
    (tmp_path / "one.yaml").write_text(WEB)
    (tmp_path / "two.yaml").write_text(WEB)
    done = call("lint", ".")
    assert (done.returncode, done.stdout.count("stands in"), done.stderr) == (1, 1, "")
