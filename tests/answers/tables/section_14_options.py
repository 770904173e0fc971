"""What the options of the block change in answers (section 14); their texts are in test_options.py."""

from tests.answers.case import found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import IGNORING_NO_ENDPOINTS, LISTED, NO_ENDPOINTS, POD_NAMES, TTL_0, TTL_3600

Z = "cluster.local."
D = f"default.svc.{Z}"

TABLES = (
    Table(
        "14-ttl",
        TTL_0,
        (
            found(f"db-0.db.{D} A", "@ 0 A 10.244.2.1"),
            found(f"web.{D} CNAME", "@ 0 CNAME www.example.com."),
        ),
    ),
    Table(
        "14-ttl",
        TTL_3600,
        (
            found(f"db-0.db.{D} A", "@ 3600 A 10.244.2.1"),
            found(f"web.{D} CNAME", "@ 3600 CNAME www.example.com."),
        ),
    ),
    Table(
        "14-namespaces",
        LISTED,
        (
            found(f"db-0.db.{D} A", "@ 5 A 10.244.2.1"),
            nxdomain(f"nginx.other.svc.{Z} A"),
        ),
    ),
    Table(
        "14-endpoint_pod_names",
        POD_NAMES,
        (
            found(f"app-x1z.podnamed.{D} A", "@ 5 A 10.244.7.21"),
            found(f"db-1.db.{D} A", "@ 5 A 10.244.2.2"),
            nxdomain(f"10-244-7-22.podnamed.{D} A"),
        ),
    ),
    Table(
        "14-noendpoints",
        NO_ENDPOINTS,
        (
            found(f"nginx.{D} SRV",
                f"@ 5 SRV 0 50 80 nginx.{D}",
                f"@ 5 SRV 0 50 443 nginx.{D}",
                additional=[f"nginx.{D} 5 A 10.96.0.10"],
            ),
            nxdomain(f"db.{D} SRV"),
            nxdomain("1.2.244.10.in-addr.arpa. PTR"),
            nodata("96.10.in-addr.arpa. PTR"),
            nxdomain("244.10.in-addr.arpa. PTR"),
        ),
    ),
    Table(
        "14-ignore",
        IGNORING_NO_ENDPOINTS,
        (
            nxdomain(f"nginx.{D} SRV"),
            nxdomain(f"nginx.{D} TXT"),
            nodata(f"{D} A"),
        ),
    ),
)  # fmt: skip
