"""For the test suites of others: a cluster's DNS in process."""

from dnsserver.testing.cluster_dns import ClusterDNS

__all__ = ["ClusterDNS"]
