"""ServiceImports in manifests, slices of theirs, and what is left out of slices when nobody asks for it."""

from pathlib import Path

import pytest

from dnsserver.sources.manifests import ManifestError
from dnsserver.sources.objects import ALL_PARTS, OWN_SLICES, SliceParts
from dnsserver.zone.objects import Feed, ObjectKey, Port, ServiceImport
from tests.sources.manifests.helpers import endpoints, load

WEB = ObjectKey("default", "web")
IMPORT = """
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: {name: web, labels: {tier: front}}
spec: {type: ClusterSetIP, ips: [10.112.0.1], ports: [{name: http, port: 80}]}
---
"""
SLICES = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-east
  labels: {multicluster.kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: east}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1], zone: EU-1a}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-own, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.244.0.1], zone: eu-1b}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, externalIPs: [203.0.113.1], ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{hostname: lb.example.net}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: other, labels: {app: other}}
spec: {containers: [{name: main}]}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {clusterIP: None, selector: {app: other}, ports: [{port: 80}]}
"""


async def test_all_parts(tmp_path: Path) -> None:
    state = await load(tmp_path, IMPORT + SLICES)
    assert state.service_import(WEB) == ServiceImport(WEB, False, ("10.112.0.1",), (Port("http", "tcp", 80),))
    (east,) = state.slices_of_import(WEB)
    assert (east.cluster, east.endpoints[0].zone) == ("east", "eu-1a")
    assert endpoints(state, "web") == [("10.244.0.1", "", "")]
    service = state.service(WEB)
    assert service is not None
    assert (service.external_ips, service.external_hosts) == (("203.0.113.1",), ("lb.example.net",))


@pytest.mark.parametrize(
    ("parts", "own", "imported", "zones"),
    [
        (OWN_SLICES, 1, 0, {""}),
        (SliceParts(zones=True), 1, 0, {"eu-1a", "eu-1b", ""}),
        (SliceParts(own=False, imported=True), 0, 1, {""}),
        (ALL_PARTS, 1, 1, {"eu-1a", "eu-1b", ""}),
    ],
)
async def test_parts(parts: SliceParts, own: int, imported: int, zones: set[str], tmp_path: Path) -> None:
    state = await load(tmp_path, IMPORT + SLICES, parts=parts)
    assert len(state.slices_of(WEB)) == own
    assert len(state.slices_of(ObjectKey("default", "other"))) == own
    assert len(state.slices_of_import(WEB)) == imported
    found = state._tables.objects(Feed.ENDPOINT_SLICES)
    assert {each.zone for item in found for each in getattr(item, "endpoints", ())} == zones


async def test_selectors(tmp_path: Path) -> None:
    assert (await load(tmp_path, IMPORT, label_selector="tier=front")).count(Feed.SERVICE_IMPORTS) == 1
    assert (await load(tmp_path, IMPORT, label_selector="tier=back")).count(Feed.SERVICE_IMPORTS) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("10.112.0.1", "10.112.0"), "spec.ips: '10.112.0' is no IP address"),
        (("name: web,", "name: we_b,"), "metadata.name: 'we_b' is no DNS label"),
        (("port: 80", "port: 80000"), "spec.ports[0].port: 80000 is no port number"),
    ],
)
async def test_broken(change: tuple[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        await load(tmp_path, IMPORT.replace(*change))
    assert words in str(caught.value)
    assert "ServiceImport" in str(caught.value)
