"""Tokens of the ServiceAccount that are exchanged, and that end."""

import pytest

from dnsserver.testing.kube_api import service
from tests.chart.rendering import NAMESPACE
from tests.control_plane.conftest import Cluster
from tests.control_plane.dns import serving
from tests.control_plane.plane import PATIENCE_S
from tests.support.process import wait_until

pytestmark = [pytest.mark.tool("dig", "curl", "helm", "openssl", "unshare", "mount"), pytest.mark.mount]
ZONE = "svc.cluster.local"


def test_a_token_that_is_rotated(cluster: Cluster) -> None:
    """As the kubelet does it: the file has another token, and some time later the old one is good no longer."""
    plane, account = cluster.plane, cluster.account
    plane.create(service("first", "10.96.7.1"))
    with serving(cluster.chart, account, cluster.state) as dns:
        old, secret = account.token, account.secret
        account.rotate("dns-token-2")
        assert account.token != old
        plane.expire(NAMESPACE, secret, old)
        plane.stop()  # watches that stand are not asked for a token again
        plane.start()
        plane.create(service("second", "10.96.7.2"))
        dns.until(["10.96.7.2"], f"second.default.{ZONE}", "A")
        assert dns.dig(f"first.default.{ZONE}", "A") == ["10.96.7.1"]


def test_a_token_that_has_expired_before_the_next_one_comes(cluster: Cluster) -> None:
    plane, account = cluster.plane, cluster.account
    plane.create(service("first", "10.96.7.1"))
    with serving(cluster.chart, account, cluster.state) as dns:
        plane.expire(NAMESPACE, account.secret, account.token)
        plane.stop()
        plane.start()
        wait_until(
            lambda: "does not accept the credentials" in dns.server.told(), dns.server.told, PATIENCE_S
        )
        assert dns.dig(f"first.default.{ZONE}", "A") == ["10.96.7.1"]
        account.rotate("dns-token-2")
        plane.create(service("second", "10.96.7.2"))
        dns.until(["10.96.7.2"], f"second.default.{ZONE}", "A")
