"""The client's side, in async tests of both kinds, with a network that is not good."""

import pytest
from shop_operator.tills import tills

SHOP = """
apiVersion: v1
kind: Service
metadata: {name: fruit, namespace: market}
spec: {clusterIP: None, ports: [{name: till, port: 7000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: fruit-1, namespace: market, labels: {kubernetes.io/service-name: fruit}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1], hostname: till-1}]
ports: [{name: till, port: 7000}]
"""
FOUND = [("till-1.fruit.market.svc.cluster.local.", 7000)]

pytestmark = pytest.mark.cluster_dns(manifests=SHOP)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_with_anyio(cluster_dns):
    assert await tills("fruit", "market", (cluster_dns.host, cluster_dns.port)) == FOUND
    assert (await cluster_dns.aask("fruit", from_pod="market/")).addresses == ["10.1.0.1"]


@pytest.mark.asyncio
async def test_with_asyncio(cluster_dns):
    assert await tills("fruit", "market", (cluster_dns.host, cluster_dns.port)) == FOUND
    await cluster_dns.aexpect("till-1.fruit.market.svc.cluster.local", "A", ["10.1.0.1"])


@pytest.mark.asyncio
@pytest.mark.cluster_dns(faults="drop probability=0.4\nwrong-id probability=0.2", seed=11)
async def test_with_a_bad_network(cluster_dns):
    for _ in range(3):
        assert await tills("fruit", "market", (cluster_dns.host, cluster_dns.port)) == FOUND
    assert any(exchange.faults for exchange in cluster_dns.transcript)
