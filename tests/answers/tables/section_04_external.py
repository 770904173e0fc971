"""ExternalName Services (section 4.4; the CNAME for every type, RFC 1034 section 4.3.2 and RFC 6604)."""

from tests.answers.case import Case, each, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import ALIAS_OUTSIDE, ALONE, CROSSED, IGNORING, MAIN, SEVERAL

Z = "cluster.local."
D = f"default.svc.{Z}"
WEB = "@ 5 CNAME www.example.com."


def chain(first: int, last: int) -> list[str]:
    """The CNAMEs from c*first* to c*last*, which are below each other in number."""
    return [f"c{n}.chain.svc.{Z} 5 CNAME c{n + 1}.chain.svc.{Z}" for n in range(first, last)]


C12 = f"c12.chain.svc.{Z} 5 CNAME nginx.{D}"

OUTSIDE: tuple[Case, ...] = (
    # The target is somewhere else: what the whole server says, with its TTLs
    found(f"web.{D} A", WEB, "www.example.com. 77 A 198.51.100.1", "www.example.com. 77 A 198.51.100.2"),
    found(f"WEB.{D} A", WEB, "www.example.com. 77 A 198.51.100.1", "www.example.com. 77 A 198.51.100.2"),
    found(f"web.{D} MX", WEB, "www.example.com. 78 MX 10 mail.example.com."),
    found(f"web.{D} TXT", WEB, 'www.example.com. 79 TXT "outside"'),
    found(f"toalias.{D} A", "@ 5 CNAME alias.example.com.", *ALIAS_OUTSIDE),
    found(
        f"toweb.{D} A",
        f"@ 5 CNAME web.{D}",
        f"web.{D} 5 CNAME www.example.com.",
        "www.example.com. 77 A 198.51.100.1",
        "www.example.com. 77 A 198.51.100.2",
    ),
    # the final dot and the case of externalName
    found(f"dotted.{D} CNAME", "@ 5 CNAME WWW.Example.com."),
    # The CNAME alone, NOERROR, no SOA, when nobody knows better
    found(f"web.{D} AAAA", WEB),
    found(f"web.{D} SRV", WEB),
    found(f"tonx.{D} A", "@ 5 CNAME nx.example.com."),
    found(f"tonodata.{D} A", "@ 5 CNAME nodata.example.com."),
    found(f"tofail.{D} A", "@ 5 CNAME fail.example.com."),
    found(f"torefused.{D} A", "@ 5 CNAME refused.example.com."),
    found(f"tosilent.{D} A", "@ 5 CNAME silent.example.com."),
    Case(
        ask=f"tocut.{D} A",
        answer=("@ 5 CNAME cut.example.com.", "cut.example.com. 5 A 198.51.100.3"),
        tc=True,
    ),
    # CNAME and ANY: the CNAME alone, no chase
    found(f"web.{D} CNAME", WEB),
    found(f"web.{D} ANY", WEB),
    found(f"toweb.{D} CNAME", f"@ 5 CNAME web.{D}"),
    found(f"toweb.{D} ANY", f"@ 5 CNAME web.{D}"),
    # The CNAME for every type
    *(
        found(ask, WEB)
        for ask in each(("NS", "SOA", "PTR", "HTTPS", "SVCB", "DS", "NAPTR", "TYPE65280"), f"web.{D}")
    ),
    # Another configured zone: through the whole server
    found(
        f"toreverse.{D} PTR",
        "@ 5 CNAME 10.0.96.10.in-addr.arpa.",
        f"10.0.96.10.in-addr.arpa. 5 PTR nginx.{D}",
    ),
    found(f"toreverse.{D} A", "@ 5 CNAME 10.0.96.10.in-addr.arpa."),
)
NOBODY_ASKED: tuple[Case, ...] = (
    found(f"web.{D} A", WEB),
    found(f"web.{D} MX", WEB),
    found(f"web.{D} CNAME", WEB),
)
INSIDE: tuple[Case, ...] = (
    found(f"tonginx.{D} A", f"@ 5 CNAME nginx.{D}", f"nginx.{D} 5 A 10.96.0.10"),
    found(f"todual.{D} A", f"@ 5 CNAME dual.{D}", f"dual.{D} 5 A 10.96.0.20"),
    found(f"todual.{D} AAAA", f"@ 5 CNAME dual.{D}", f"dual.{D} 5 AAAA fd00:10:96::20"),
    found(f"todb.{D} A", f"@ 5 CNAME db-0.db.{D}", f"db-0.db.{D} 5 A 10.244.2.1"),
    found(f"toport.{D} A", f"@ 5 CNAME _http._tcp.nginx.{D}", f"_http._tcp.nginx.{D} 5 A 10.96.0.10"),
    found(f"toversion.{D} TXT", f"@ 5 CNAME dns-version.{Z}", f'dns-version.{Z} 28800 TXT "1.1.0"'),
    found(
        f"tonginx.{D} SRV",
        f"@ 5 CNAME nginx.{D}",
        f"nginx.{D} 5 SRV 0 50 80 nginx.{D}",
        f"nginx.{D} 5 SRV 0 50 443 nginx.{D}",
        additional=[f"nginx.{D} 5 A 10.96.0.10"],
    ),
    # the owner is the externalName as stored
    found(
        f"tosingle.{D} A",
        "@ 5 CNAME Single.Default.svc.cluster.local.",
        "Single.Default.svc.cluster.local. 5 A 10.96.0.11",
    ),
    # the target without the type asked
    nodata(f"tonginx.{D} AAAA", f"@ 5 CNAME nginx.{D}"),
    nodata(f"tonginx.{D} TXT", f"@ 5 CNAME nginx.{D}"),
    nodata(f"toversion.{D} A", f"@ 5 CNAME dns-version.{Z}"),
    nodata(f"toapex.{D} A", f"@ 5 CNAME {Z}"),
    # the target that does not exist (RFC 6604)
    nxdomain(f"tonone.{D} A", f"@ 5 CNAME none.{D}"),
    nxdomain(f"tonone.{D} AAAA", f"@ 5 CNAME none.{D}"),
    nxdomain(f"tonone.{D} MX", f"@ 5 CNAME none.{D}"),
    nxdomain(f"tonone2.{D} A", f"@ 5 CNAME tonone.{D}", f"tonone.{D} 5 CNAME none.{D}"),
    nxdomain(f"below.{D} A", f"@ 5 CNAME x.below.{D}"),
    found(f"tonone.{D} CNAME", f"@ 5 CNAME none.{D}"),
    # loops
    nodata(f"self.{D} A"),
    nodata(f"self.{D} TXT"),
    nodata(f"ping.{D} A"),
    nodata(f"pong.{D} AAAA"),
    found(f"ping.{D} CNAME", f"@ 5 CNAME pong.{D}"),
    found(f"self.{D} ANY", f"@ 5 CNAME self.{D}"),
    # chains: eleven CNAMEs are followed, twelve are not
    found(f"c2.chain.svc.{Z} A", *chain(2, 12), C12, f"nginx.{D} 5 A 10.96.0.10"),
    nodata(f"c2.chain.svc.{Z} AAAA", *chain(2, 12), C12),
    nodata(f"c1.chain.svc.{Z} A"),
    nodata(f"c1.chain.svc.{Z} TXT"),
    found(f"c12.chain.svc.{Z} A", C12, f"nginx.{D} 5 A 10.96.0.10"),
    # An IP address is no name: no records at all
    *map(nxdomain, each(("A", "AAAA", "CNAME", "TXT", "SRV", "SOA", "ANY"), f"ip4.{D}", f"ip6.{D}")),
    # Nothing below, whatever slices there are
    nxdomain(f"_http._tcp.web.{D} SRV"),
    nxdomain(f"_tcp.web.{D} SRV"),
    nxdomain(f"x.web.{D} A"),
    nxdomain(f"ep.sliced.{D} A"),
    nxdomain(f"_http._tcp.sliced.{D} SRV"),
    nxdomain(f"10-244-12-1.sliced.{D} A"),
)
EXEMPT: tuple[Case, ...] = (
    # `ignore empty_service` does not mean them
    found(f"web.{D} CNAME", WEB),
    found(f"web.{D} MX", WEB, "www.example.com. 78 MX 10 mail.example.com."),
)
OTHER_ZONE: tuple[Case, ...] = (
    # "Inside" is inside the zone that matched
    found(
        f"toother.{D} A",
        "@ 5 CNAME there.default.svc.other.local.",
        "there.default.svc.other.local. 5 CNAME www.example.com.",
        "www.example.com. 77 A 198.51.100.1",
        "www.example.com. 77 A 198.51.100.2",
    ),
    found(f"toother.{D} CNAME", "@ 5 CNAME there.default.svc.other.local."),
    found(
        "tonginx.default.svc.other.local. A",
        f"@ 5 CNAME nginx.{D}",
        f"nginx.{D} 5 A 10.96.0.10",
    ),
    found("tonginx.default.svc.other.local. AAAA", f"@ 5 CNAME nginx.{D}"),
    found("tonone.default.svc.other.local. A", f"@ 5 CNAME none.{D}"),
    found("tonginx.default.svc.sub.cluster.local. A", f"@ 5 CNAME nginx.{D}", f"nginx.{D} 5 A 10.96.0.10"),
)
ACROSS: tuple[Case, ...] = (
    # Two zones that point at each other: every CNAME once (RFC 2181 section 5), and an end
    found(
        f"here.{D} A",
        "@ 5 CNAME there.default.svc.other.local.",
        f"there.default.svc.other.local. 5 CNAME here.{D}",
    ),
    found(f"here.{D} CNAME", "@ 5 CNAME there.default.svc.other.local."),
)

TABLES = (
    Table("4.4", MAIN, OUTSIDE),
    Table("4.4", ALONE, NOBODY_ASKED),
    Table("4.4", MAIN, INSIDE),
    Table("4.4", IGNORING, EXEMPT),
    Table("4.4", SEVERAL, OTHER_ZONE),
    Table("4.4", CROSSED, ACROSS),
)
