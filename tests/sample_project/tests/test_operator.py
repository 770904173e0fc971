"""The operator works in the background, as in a cluster: names come within some time."""

import pytest
from conftest import shop

NAME = "fruit.market.svc.cluster.local"


@pytest.mark.usefixtures("operator")
def test_a_shop_comes_changes_and_goes(cluster_dns, kube_api):
    cluster_dns.expect(NAME, rcode="NXDOMAIN")
    kube_api.apply(shop("fruit", "10.1.0.1", "10.1.0.2"))
    cluster_dns.expect(NAME, "A", ["10.1.0.1", "10.1.0.2"], within_s=20)
    cluster_dns.expect(f"_till._tcp.{NAME}", "SRV", within_s=20)
    kube_api.apply(shop("fruit", "10.1.0.3"))
    cluster_dns.expect("fruit", "A", ["10.1.0.3"], from_pod="market/", within_s=20)
    kube_api.remove(shop("fruit"))
    cluster_dns.expect(NAME, rcode="NXDOMAIN", within_s=20)


@pytest.mark.usefixtures("operator")
def test_it_survives_an_api_server_that_goes_away(cluster_dns, kube_api):
    kube_api.apply(shop("fruit", "10.1.0.1"))
    cluster_dns.expect(NAME, "A", ["10.1.0.1"], within_s=20)
    kube_api.drop_watches()
    kube_api.deaf()
    kube_api.apply(shop("fruit", "10.1.0.2"))
    kube_api.listen()
    cluster_dns.expect(NAME, "A", ["10.1.0.2"], within_s=20)
    assert [item["status"] for item in kube_api.objects("Shop")] == [{"published": 1}]


@pytest.mark.usefixtures("operator")
def test_a_failure_is_told_well(cluster_dns, kube_api):
    kube_api.apply(shop("fruit", "10.1.0.1"))
    cluster_dns.expect(NAME, within_s=20)
    with pytest.raises(AssertionError) as found:
        cluster_dns.expect("fruit", "A", ["10.1.0.9"], from_pod="market/")
    assert "  - 10.1.0.9  (missing)\n  + 10.1.0.1  (not expected)" in str(found.value)
    assert f"udp {NAME} A: NOERROR, A 10.1.0.1" in str(found.value)
