"""The clusters that the tables ask about."""

from dataclasses import replace

from dnsserver.wire.codes import Rcode
from dnsserver.zone.objects import ClusterObject, Feed, Service, ServiceType
from dnsserver.zone.policy import PodMode, RecordPolicy
from tests.answers.objects import (
    external,
    headless,
    namespaces,
    pod,
    service,
    slice_of,
    unlabelled_slice,
)
from tests.answers.scene import Outside, Scene

OWN = RecordPolicy(own_addresses=("10.244.0.53",))

#: The Service in front of the server, with two servers behind it.
KUBE_DNS: tuple[ClusterObject, ...] = (
    service("kube-system/kube-dns", "10.96.0.2", "dns:53/udp dns-tcp:53 metrics:9153"),
    slice_of("kube-system/kube-dns", "x", "10.244.0.53 10.244.0.54", "dns:53/udp dns-tcp:53 metrics:9153"),
)

NGINX: tuple[ClusterObject, ...] = (
    service("default/nginx", "10.96.0.10", "http:80 https:443"),
    slice_of("default/nginx", "x", "10.244.1.5 10.244.1.6", "http:8080 https:8443"),
)

CLUSTER_IP_KINDS: tuple[ClusterObject, ...] = (
    *NGINX,
    service("other/nginx", "10.96.1.10", "http:80"),
    service("default/single", "10.96.0.11", ":80"),
    service("default/noports", "10.96.0.12"),
    service("default/dual", "10.96.0.20 fd00:10:96::20", "http:80"),
    service("default/v6only", "fd00:10:96::21", "http:80"),
    service("default/dns", "10.96.0.22", "dns:53/udp dns-tcp:53"),
    service("default/mixed", "10.96.0.23", "http:80 :81"),
    service("default/sig", "10.96.0.24", "sip:5060/sctp"),
    service("default/node", "10.96.0.30", "http:80", ServiceType.NODE_PORT),
    service("default/balanced", "10.96.0.31", "http:80", ServiceType.LOAD_BALANCER),
    service("default/untyped", "10.96.0.32", "http:80", ServiceType.UNSET),
    service("default/1st", "10.96.0.33", "http:80"),
    service("default/byhand", "10.96.0.34", "http:80"),
    slice_of("default/byhand", "mine", "192.0.2.10", "http:8080"),
    service("default/behind", "10.96.0.35", "http:80"),
    slice_of("default/behind", "x", "10.244.1.7=front fd00:10:4:1::7=front", "http:8080"),
)

HEADLESS: tuple[ClusterObject, ...] = (
    headless("default/db", "pg:5432"),
    slice_of("default/db", "a", "10.244.2.1=db-0 10.244.2.2=db-1", "pg:5432"),
    slice_of("default/db", "b", "10.244.2.3", "pg:5432"),
    headless("default/overlap", "http:80"),
    slice_of("default/overlap", "a", "10.244.3.1 10.244.3.2", "http:80"),
    slice_of("default/overlap", "b", "10.244.3.2 10.244.3.3", "http:80"),
    headless("default/dualhead", "http:80"),
    slice_of("default/dualhead", "v4", "10.244.4.1=h-0", "http:80"),
    slice_of("default/dualhead", "v6", "fd00:10:4::1=h-0", "http:80"),
    headless("default/v6head", "http:80"),
    slice_of("default/v6head", "x", "fd00:10:4:15::2 fd00:10:4:16:: ::5:1", "http:80"),
    headless("default/samehost", "http:80"),
    slice_of("default/samehost", "x", "10.244.5.1=twin 10.244.5.2=twin", "http:80"),
    headless("default/noport"),
    slice_of("default/noport", "x", "10.244.6.1"),
    headless("default/halfports", "http:80"),
    slice_of("default/halfports", "a", "10.244.6.11", "http:80"),
    slice_of("default/halfports", "b", "10.244.6.12"),
    headless("default/otherport", "http:80"),
    slice_of("default/otherport", "a", "10.244.6.21", "http:8080"),
    slice_of("default/otherport", "b", "10.244.6.22", "http:8080 admin:9000"),
    headless("default/unnamed", ":9000"),
    slice_of("default/unnamed", "x", "10.244.6.31", ":9000"),
    headless("default/unready", "http:80"),
    slice_of("default/unready", "x", "", "http:80"),
    headless("default/noslice", "http:80"),
    headless("default/share-a", "http:80"),
    slice_of("default/share-a", "x", "10.244.7.1", "http:80"),
    headless("default/share-b", "http:80"),
    slice_of("default/share-b", "x", "10.244.7.1", "http:80"),
    headless("default/cased", "Http:80/TCP"),
    slice_of("default/cased", "x", "10.244.7.11=Web-0", "Http:80/TCP"),
    headless("default/spelled", "http:80"),
    slice_of("default/spelled", "x", "FD00:10:4:17:0:0:0:1", "http:80"),
    headless("default/podnamed", "http:80"),
    slice_of("default/podnamed", "x", "10.244.7.21#app-x1z 10.244.7.22#app.dotted", "http:80"),
    headless("default/seven", "http:80"),
    slice_of("default/seven", "x", " ".join(f"10.244.11.{n}" for n in range(1, 8)), "http:80"),
    unlabelled_slice("default/orphan", "10.244.8.1", "http:80"),
    slice_of("default/ghost", "x", "10.244.9.1", "http:80"),
)

_CHAIN = (
    *(external(f"chain/c{n}", f"c{n + 1}.chain.svc.cluster.local.") for n in range(1, 12)),
    external("chain/c12", "nginx.default.svc.cluster.local."),
    external("chain/o2", "o3.chain.svc.cluster.local."),
)

EXTERNAL: tuple[ClusterObject, ...] = (
    external("default/web", "www.example.com"),
    external("default/dotted", "WWW.Example.com."),
    external("default/ip4", "192.0.2.1"),
    external("default/ip6", "2001:db8::1"),
    external("default/tonginx", "nginx.default.svc.cluster.local"),
    external("default/tosingle", "Single.Default.svc.cluster.local"),
    external("default/todual", "dual.default.svc.cluster.local"),
    external("default/todb", "db-0.db.default.svc.cluster.local."),
    external("default/toport", "_http._tcp.nginx.default.svc.cluster.local."),
    external("default/toversion", "dns-version.cluster.local."),
    external("default/toapex", "cluster.local."),
    external("default/tonone", "none.default.svc.cluster.local."),
    external("default/tonone2", "tonone.default.svc.cluster.local."),
    external("default/self", "self.default.svc.cluster.local."),
    external("default/below", "x.below.default.svc.cluster.local."),
    external("default/ping", "pong.default.svc.cluster.local."),
    external("default/pong", "PING.default.svc.cluster.local."),
    external("default/toweb", "web.default.svc.cluster.local."),
    external("default/tonx", "nx.example.com."),
    external("default/tonodata", "nodata.example.com."),
    external("default/tofail", "fail.example.com."),
    external("default/torefused", "refused.example.com."),
    external("default/tosilent", "silent.example.com."),
    external("default/tocut", "cut.example.com."),
    external("default/toalias", "alias.example.com."),
    external("default/toreverse", "10.0.96.10.in-addr.arpa."),
    external("default/toother", "there.default.svc.other.local."),
    external("default/there", "www.example.com."),
    external("default/sliced", "www.example.com."),
    slice_of("default/sliced", "x", "10.244.12.1=ep", "http:80"),
    *_CHAIN,
)

ALIAS_OUTSIDE = (
    "alias.example.com. 60 CNAME end.example.net.",
    "end.example.net. 30 A 198.51.100.7",
)
WORLD = {
    "www.example.com. A": Outside(
        ("www.example.com. 77 A 198.51.100.1", "www.example.com. 77 A 198.51.100.2")
    ),
    "www.example.com. AAAA": Outside(
        authority=("example.com. 60 SOA ns.example.com. root.example.com. 1 2 3 4 5",)
    ),
    "www.example.com. MX": Outside(("www.example.com. 78 MX 10 mail.example.com.",)),
    "www.example.com. TXT": Outside(('www.example.com. 79 TXT "outside"',)),
    "nx.example.com. A": Outside((), Rcode.NXDOMAIN),
    "nodata.example.com. A": Outside(),
    "fail.example.com. A": Outside((), Rcode.SERVFAIL),
    "refused.example.com. A": Outside((), Rcode.REFUSED),
    "silent.example.com. A": Outside((), None),
    "cut.example.com. A": Outside(("cut.example.com. 5 A 198.51.100.3",), truncated=True),
    "alias.example.com. A": Outside(ALIAS_OUTSIDE),
    "elsewhere.test. A": Outside(("elsewhere.test. 9 A 198.51.100.9",)),
}

NAMESPACES = namespaces("default kube-system other empty chain")

MAIN = Scene(
    name="main",
    objects=(
        *NAMESPACES,
        *KUBE_DNS,
        *CLUSTER_IP_KINDS,
        *HEADLESS,
        *EXTERNAL,
        service("gone/left", "10.96.9.9"),
    ),
    policy=OWN,
    outside=WORLD,
)
#: The same cluster with nothing behind the plugin.
ALONE = replace(MAIN, name="alone", outside=None)
POD_NAMES = replace(MAIN, name="endpoint_pod_names", policy=replace(OWN, endpoint_pod_names=True))
IGNORING = replace(MAIN, name="ignore_empty_service", policy=replace(OWN, ignore_empty_service=True))
TTL_0 = replace(MAIN, name="ttl_0", policy=replace(OWN, ttl=0))
TTL_3600 = replace(MAIN, name="ttl_3600", policy=replace(OWN, ttl=3600))
LISTED = replace(MAIN, name="namespaces", policy=replace(OWN, namespaces=frozenset(("default", "absent"))))
#: What `namespace_labels` leaves: the namespaces that do not match are not watched.
LABELLED = replace(
    MAIN, name="namespace_labels", objects=(*namespaces("default"), *MAIN.objects[len(NAMESPACES) :])
)
#: What `noendpoints` leaves: no slices, none asked for.
NO_ENDPOINTS = replace(
    MAIN,
    name="noendpoints",
    objects=(*NAMESPACES, *(item for item in MAIN.objects if isinstance(item, Service))),
    policy=replace(OWN, own_addresses=("10.244.0.53", "fd00:10:4::53")),
)
IGNORING_NO_ENDPOINTS = replace(
    NO_ENDPOINTS, name="noendpoints_ignore", policy=replace(OWN, ignore_empty_service=True)
)

PODS: tuple[ClusterObject, ...] = (
    pod("default/a", "10.4.1.32"),
    pod("default/host-1", "10.4.1.40"),
    pod("default/host-2", "10.4.1.40"),
    pod("other/b", "10.4.1.33"),
    pod("default/six", "fd00:10:4:15::9"),
    pod("default/ending", "10.4.1.50", terminating=True),
    pod("hidden/c", "10.4.1.60"),
)
PODS_OFF = Scene(name="pods_disabled", objects=(*NAMESPACES, *PODS))
PODS_INSECURE = replace(PODS_OFF, name="pods_insecure", policy=RecordPolicy(pods=PodMode.INSECURE))
PODS_VERIFIED = replace(PODS_OFF, name="pods_verified", policy=RecordPolicy(pods=PodMode.VERIFIED))
PODS_LISTED = replace(
    PODS_OFF,
    name="pods_insecure_namespaces",
    policy=RecordPolicy(pods=PodMode.INSECURE, namespaces=frozenset(("default",))),
)

#: The first lists of Services and slices are missing; some of their objects are there.
UNSYNCED = Scene(
    name="unsynced",
    objects=(*NAMESPACES, *KUBE_DNS, *NGINX),
    policy=OWN,
    missing=frozenset((Feed.SERVICES, Feed.ENDPOINT_SLICES)),
)
UNSYNCED_THROUGH = replace(
    UNSYNCED,
    name="unsynced_fallthrough",
    fallthrough=("in-addr.arpa.", "svc.cluster.local."),
    outside={
        "9.9.9.10.in-addr.arpa. PTR": Outside(("9.9.9.10.in-addr.arpa. 9 PTR host.example.com.",)),
        "8.9.9.10.in-addr.arpa. PTR": Outside((), Rcode.NXDOMAIN),
        "7.9.9.10.in-addr.arpa. PTR": Outside(),
        "6.9.9.10.in-addr.arpa. PTR": Outside((), Rcode.SERVFAIL),
        "none.default.svc.cluster.local. A": Outside(("none.default.svc.cluster.local. 9 A 198.51.100.9",)),
    },
)
FALLTHROUGH = replace(
    MAIN,
    name="fallthrough",
    fallthrough=("in-addr.arpa.", "Default.svc.cluster.local."),
    outside={
        "9.9.9.10.in-addr.arpa. PTR": Outside(("9.9.9.10.in-addr.arpa. 9 PTR host.example.com.",)),
        "8.9.9.10.in-addr.arpa. PTR": Outside((), Rcode.NXDOMAIN),
        "none.default.svc.cluster.local. A": Outside(("none.default.svc.cluster.local. 9 A 198.51.100.9",)),
        "none.other.svc.cluster.local. A": Outside(("none.other.svc.cluster.local. 9 A 198.51.100.9",)),
        "web.default.svc.cluster.local. A": Outside(("web.default.svc.cluster.local. 9 A 198.51.100.9",)),
    },
)
FALLTHROUGH_ALL = replace(FALLTHROUGH, name="fallthrough_all", fallthrough=(".",))
FALLTHROUGH_NOWHERE = replace(ALONE, name="fallthrough_alone", fallthrough=(".",))

#: The server behind a headless Service, with several addresses, one of them dual.
HEADLESS_FRONT = Scene(
    name="headless_front",
    objects=(
        *namespaces("kube-system"),
        headless("kube-system/dns", "dns:53/udp"),
        slice_of("kube-system/dns", "a", "10.244.0.53=node-a 10.244.0.54", "dns:53/udp"),
        slice_of("kube-system/dns", "b", "10.244.0.55=node-b", "dns:53/udp"),
    ),
    policy=OWN,
)
#: Two own addresses in one slice, and two Services in front.
TWO_FRONTS = Scene(
    name="two_fronts",
    objects=(
        *namespaces("kube-system"),
        service("kube-system/kube-dns", "10.96.0.2 fd00:10:96::2", "dns:53/udp"),
        slice_of("kube-system/kube-dns", "x", "10.244.0.53 10.244.0.99", "dns:53/udp"),
        service("kube-system/extra", "10.96.0.3", "dns:53/udp"),
        slice_of("kube-system/extra", "x", "10.244.0.53", "dns:53/udp"),
    ),
    policy=RecordPolicy(own_addresses=("10.244.0.53", "10.244.0.99")),
)
HOMELESS = replace(TWO_FRONTS, name="no_own_address", policy=RecordPolicy())

SEVERAL = Scene(
    name="several_zones",
    objects=MAIN.objects,
    zones=(
        "96.10.in-addr.arpa.",
        "cluster.local.",
        "sub.cluster.local.",
        "other.local.",
        "0.0.d.f.ip6.arpa.",
    ),
    policy=OWN,
    outside=WORLD,
)
ROOT = replace(MAIN, name="root_zone", zones=(".",), outside=None)
CROSSED = Scene(
    name="crossed_zones",
    objects=(
        *namespaces("default"),
        external("default/here", "there.default.svc.other.local."),
        external("default/there", "here.default.svc.cluster.local."),
    ),
    zones=("cluster.local.", "other.local."),
)
MANY = Scene(
    name="many",
    objects=(
        *namespaces("default"),
        headless("default/sixty", "http:80"),
        slice_of("default/sixty", "x", " ".join(f"10.244.20.{n}" for n in range(1, 61)), "http:80"),
    ),
)
