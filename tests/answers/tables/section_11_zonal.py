"""Names with a topology zone (cluster-dns-behaviour.md, section 11.2)."""

from dataclasses import replace

from dnsserver.zone.policy import RecordPolicy
from tests.answers.case import found, nodata, nxdomain
from tests.answers.objects import external, headless, namespaces, service, slice_of
from tests.answers.scene import Scene, Table

D = "default.svc.cluster.local."
ZONAL = Scene(
    name="zonal",
    policy=RecordPolicy(zonal=True),
    objects=(
        *namespaces("default"),
        headless("default/web", "http:80"),
        slice_of("default/web", "x", "10.4.1.1=a@eu-1a 10.4.1.2@eu-1a 10.4.1.3@eu-1b 10.4.1.4", "http:8080"),
        slice_of("default/web", "y", "fd00::1@eu-1b 10.4.1.5@rack.7", "http:8080"),
        headless("default/empty", "http:80"),
        service("default/nginx", "10.96.0.10", "http:80"),
        slice_of("default/nginx", "x", "10.4.2.1@eu-1a", "http:8080"),
        external("default/ext", "www.example.com"),
    ),
)
PIN, PREFER = f"pin._zone.web.{D}", f"prefer._zone.web.{D}"
ALL = tuple(f"@ 5 A 10.4.1.{number}" for number in range(1, 6))

TABLES = (
    Table(
        "11.2",
        ZONAL,
        (
            found(f"eu-1a.{PIN} A", "@ 5 A 10.4.1.1", "@ 5 A 10.4.1.2"),
            found(f"EU-1A.PIN._Zone.web.{D} A", "@ 5 A 10.4.1.1", "@ 5 A 10.4.1.2"),
            nodata(f"eu-1a.{PIN} AAAA"),
            found(f"eu-1b.{PIN} AAAA", "@ 5 AAAA fd00::1"),
            found(f"eu-1a.{PIN} SRV",
                f"@ 5 SRV 0 50 8080 a.web.{D}",
                f"@ 5 SRV 0 50 8080 10-4-1-2.web.{D}",
                additional=[f"a.web.{D} 5 A 10.4.1.1", f"10-4-1-2.web.{D} 5 A 10.4.1.2"],
            ),
            found(f"rack.7.{PIN} A", "@ 5 A 10.4.1.5"),
            nxdomain(f"rack\\.7.{PIN} A"),
            nodata(f"nowhere.{PIN} A"),
            nodata(f"nowhere.{PIN} TXT"),
            found(f"eu-1b.{PREFER} A", "@ 5 A 10.4.1.3"),
            found(f"nowhere.{PREFER} A", *ALL),
            nodata(f"nowhere.{PREFER} TXT"),
            nodata(f"x.pin._zone.empty.{D} A"),
            nodata(f"x.prefer._zone.empty.{D} A"),
            nxdomain(f"empty.{D} A"),
            # Names above those that exist.
            nodata(f"{PIN} A"),
            nodata(f"_zone.web.{D} A"),
            nodata(f"7.{PIN} A"),
            # What has no zone.
            nxdomain(f"eu-1a.keep._zone.web.{D} A"),
            nxdomain(f"eu-1a.pin._zone.nginx.{D} A"),
            nxdomain(f"_zone.nginx.{D} A"),
            nxdomain(f"eu-1a.pin._zone.ext.{D} A"),
            nxdomain(f"eu-1a.pin._zone.none.{D} A"),
            nxdomain(f"eu-1a.pin.zone.web.{D} A"),
            nxdomain("eu-1a.pin._zone.web.none.svc.cluster.local. A"),
            nxdomain("eu-1a.pin._zone.web.default.pod.cluster.local. A"),
        ),
    ),
    Table(
        "11.2-off",
        replace(ZONAL, name="not zonal", policy=RecordPolicy()),
        (
            nxdomain(f"eu-1a.{PIN} A"),
            nxdomain(f"{PIN} A"),
        ),
    ),
)  # fmt: skip
