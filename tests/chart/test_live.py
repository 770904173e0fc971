"""Installed in a cluster that has a DNS already: joining its Service, taking it over, and going back."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dnsserver.cli import COMMANDS
from dnsserver.testing.kube_api import KubeApi
from tests.chart.rendering import CHART, NAMESPACE, Manifest, RefusedError, Rendering, helm

pytestmark = pytest.mark.tool("helm")

RELEASE, DEPLOYMENT = "dns", "dns-dnsserver"
ADDRESS = "10.96.0.10"


def kube_dns(**selector: str) -> Manifest:
    """The Service of kubeadm's CoreDNS."""
    ports = [("dns", "UDP", 53), ("dns-tcp", "TCP", 53), ("metrics", "TCP", 9153)]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": NAMESPACE, "labels": {"k8s-app": "kube-dns"}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": ADDRESS,
            "clusterIPs": [ADDRESS],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "selector": {"k8s-app": "kube-dns", **selector},
            "ports": [
                {"name": name, "protocol": protocol, "port": port, "targetPort": port}
                for name, protocol, port in ports
            ],
        },
    }


@dataclass(frozen=True, slots=True)
class Release:
    """What `helm install` would do."""

    rendering: Rendering
    notes: str


class Cluster:
    """An API server, and helm that asks it. Releases are not stored there: helm writes them in protobuf only."""

    def __init__(self, api: KubeApi, folder: Path) -> None:
        self.api = api
        self._config = folder / "kubeconfig"
        self._config.write_text(json.dumps(api.kubeconfig()))

    async def install(self, *words: str, **options: str) -> Release:
        """The rehearsal that looks at the live objects, but for OpenAPI (tests/chart/test_schemas.py does that)."""
        rehearsal = ["--dry-run=server", "--disable-openapi-validation", "--output=json"]
        chosen = [f"--set={key.replace('__', '.')}={value}" for key, value in options.items()]
        every = [RELEASE, str(CHART), f"--namespace={NAMESPACE}", *rehearsal, *words, *chosen]
        found = json.loads(await asyncio.to_thread(helm, "install", *every, kubeconfig=self._config))
        return Release(Rendering(found["manifest"]), found["info"]["notes"])

    def has_ready(self, release: Release) -> None:
        """As if *release* were installed, and its pods ready."""
        deployment = release.rendering.get("Deployment")
        owner = {"meta.helm.sh/release-name": RELEASE, "meta.helm.sh/release-namespace": NAMESPACE}
        metadata = {**deployment["metadata"], "annotations": owner}
        self.api.add({**deployment, "metadata": metadata, "status": {"replicas": 2, "readyReplicas": 2}})


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with KubeApi() as api:
        api.namespace(NAMESPACE)
        yield Cluster(api, tmp_path)


JOINED = {"service__joinExisting": "kube-dns"}
TAKEN = {"service__name": "kube-dns"}


async def test_pods_join_the_service_that_is_there(cluster: Cluster) -> None:
    service = kube_dns(tier="dns")
    cluster.api.add(service)
    found = await cluster.install(**JOINED)
    assert not found.rendering.has("Service")
    assert service["spec"]["selector"].items() <= found.rendering.pod["metadata"]["labels"].items()
    selector = found.rendering.get("Deployment")["spec"]["selector"]["matchLabels"]
    assert selector["app.kubernetes.io/instance"] == RELEASE
    assert f"The pods of {DEPLOYMENT} join those behind the Service kube-dns" in found.notes
    assert "helm -n kube-system uninstall dns" in found.notes


async def test_service_is_taken_over_once_pods_are_ready_and_can_be_given_back(cluster: Cluster) -> None:
    cluster.api.add(kube_dns())
    with pytest.raises(RefusedError, match=r"first install with service\.joinExisting=kube-dns"):
        await cluster.install("--take-ownership", **TAKEN)
    joined = await cluster.install(**JOINED)
    cluster.has_ready(joined)
    taken = await cluster.install("--take-ownership", **TAKEN)
    assert taken.rendering.pod == joined.rendering.pod  # no pod is replaced
    service = taken.rendering.get("Service")
    assert service["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    spec = service["spec"]
    assert {
        key: spec[key] for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "ports")
    } == {key: value for key, value in kube_dns()["spec"].items() if key not in ("selector", "type")}
    patch = re.search(r"--type merge -p '(.*)'", taken.notes)
    assert patch is not None
    back = spec["selector"] | json.loads(patch[1])["spec"]["selector"]
    assert {key: value for key, value in back.items() if value} == kube_dns()["spec"]["selector"]


async def test_without_take_ownership_helm_leaves_it_alone(cluster: Cluster) -> None:
    cluster.api.add(kube_dns())
    cluster.has_ready(await cluster.install(**JOINED))
    with pytest.raises(RefusedError, match='Service "kube-dns" in namespace "kube-system" exists'):
        await cluster.install(**TAKEN)


async def test_key_of_a_selector_that_would_stay_is_refused(cluster: Cluster) -> None:
    cluster.api.add(kube_dns(tier="dns"))
    with pytest.raises(RefusedError, match="also selects by tier"):
        await cluster.install("--take-ownership", **TAKEN)


async def test_selector_of_another_release_is_joined_with_labels_of_ones_own(cluster: Cluster) -> None:
    cluster.api.add(kube_dns(**{"app.kubernetes.io/instance": "rke2-coredns"}))
    with pytest.raises(RefusedError, match=r"selects by app\.kubernetes\.io/instance=rke2-coredns"):
        await cluster.install(**JOINED)
    found = (await cluster.install(deployment__selector__matchLabels__app="ours", **JOINED)).rendering
    labels = found.pod["metadata"]["labels"]
    assert (labels["app"], labels["app.kubernetes.io/instance"]) == ("ours", "rke2-coredns")
    assert found.get("PodDisruptionBudget")["spec"]["selector"] == {"matchLabels": {"app": "ours"}}


async def test_a_service_of_ones_own_gets_its_address_from_the_cluster(cluster: Cluster) -> None:
    cluster.api.add(kube_dns())
    found = await cluster.install()
    assert "clusterIP" not in found.rendering.get("Service")["spec"]
    assert "The Service dns-dnsserver and its address stay" in found.notes
    assert "and its address go too" in (await cluster.install(service__keep="false")).notes


async def test_notes(cluster: Cluster) -> None:
    """Each command of ours in them exists; what is odd about the values is said."""
    odd = {"resources__limits__cpu": "100m", "resources__limits__memory": "128Mi", "rbac__pspEnable": "true"}
    notes = (await cluster.install(k8sAppLabelOverride="coredns", **odd)).notes
    named = set(re.findall(r"^ *(?:dnsserver )?(compare|explain) ", notes, re.MULTILINE))
    assert named == {"compare", "explain"}
    assert named <= COMMANDS.keys()
    warnings = notes.partition("WORTH A LOOK")[2]
    assert re.findall(r"^- ([\w.]+):", warnings, re.MULTILINE) == [
        "resources.limits.cpu",
        "resources.limits.memory",
        "k8sAppLabelOverride",
        "rbac.pspEnable",
    ]


async def test_defaults_are_nothing_to_look_at(cluster: Cluster) -> None:
    assert "WORTH A LOOK" not in (await cluster.install()).notes
