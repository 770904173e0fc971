"""The judge, with every plugin in front that says what it does to others' replies, with replies that a cache keeps, and
with zones behind the cluster's that answer what falls through. FUZZ_PACKETS=1000000 pytest tests/fast
"""

from pathlib import Path
from random import Random

from dnsserver.answering.query import Query, read_query
from dnsserver.wire import names
from tests.answers.scene import Scene
from tests.fast.court import CREATED, Court, block, court
from tests.fast.test_judge import Changes, options, respelled, usual_query
from tests.fuzz.mutation import PACKETS, mutated
from tests.fuzz.test_answering import likely_query
from tests.fuzz.worlds import NAMES, NAMESPACES, random_scene

#: Random clusters per run; the packets are shared out among them.
WORLDS = 48
#: Questions asked between two changes of the cluster, and between two of the clock.
BETWEEN_CHANGES, BETWEEN_SECONDS = 25, 15
SIZES = (0, 512, 600, 1232, 4096, 65_535)

#: Plugins in the order of the chain; of each, one of the ways to write it.
FRONTS: tuple[tuple[str, ...], ...] = (
    ("cancel", "cancel 3s"),
    ("nsid", "nsid rack 4"),
    ("bufsize 600", "bufsize 512", "bufsize"),
    ("prometheus 127.0.0.1:0",),
    ("errors",),
    ("local", "local {\nlocalhost_prefix off\n}"),
    ("dns64", "dns64 {\nallow_ipv4\ntranslate_all\n}"),
    ("any",),
    ("chaos",),
    ("loadbalance", "loadbalance round_robin {\nprefer 10.0.0.0/8\n}"),
    (
        "rewrite name suffix .example.net .svc.cluster.local answer auto",
        "rewrite stop type MX A",
        "rewrite continue name exact www.example.com ns.example.com\nrewrite ttl suffix cluster.local 7",
    ),
    ("autopath @kubernetes",),
    (
        "acl {\nallow type A net *\nblock type TXT net 192.0.2.1\n}",
        "acl example.com {\nfilter type AAAA net *\n}",
        "acl default.svc.cluster.local {\nallow net 10.0.0.0/8\nblock net 10.1.0.0/16\n}",
    ),
    (
        "cache",
        "cache",
        "cache 3",
        "cache 30 {\nkeepttl\n}",
        "cache 30 {\nprefetch 1 1h 50%\n}",
        "cache 5 {\nserve_stale 1h immediate 7s\nservfail 3s\n}",
        "cache 5 {\nserve_stale 1h verify\nserve_stale_policy prefer_positive\n}",
        "cache 30 example.com {\ndisable denial\n}",
    ),
    (
        "header {\nresponse set aa\nresponse clear ra\n}",
        "header {\nresponse clear aa rd\n}",
        "header {\nquery clear rd\nresponse set ra\n}",
    ),
    ("minimal",),
)
#: Replies of all kinds for names outside of the cluster.
OUTSIDE = """
template IN A www.example.com mixed.example.com {
    answer "{{ .Name }} 60 IN A 192.0.2.1"
}
template IN A many.example.com {
    answer "{{ .Name }} 60 IN A 192.0.2.1"
    answer "{{ .Name }} 50 IN A 192.0.2.2"
    answer "{{ .Name }} 40 IN A 10.0.0.3"
}
template IN A served.example.com {
    answer "{{ .Name }} 60 IN A 192.0.2.1"
    answer "{{ .Name }} 60 IN A 10.0.0.2"
    authority "example.com. 60 IN NS ns.example.com."
    additional "ns.example.com. 60 IN A 192.0.2.53"
}
template IN A chained.example.com {
    answer "{{ .Name }} 60 IN CNAME Host.example.org."
    answer "host.example.org. 60 IN A 192.0.2.1"
    answer "host.example.org. 60 IN A 192.0.2.2"
}
template IN A backwards.example.com {
    answer "host.example.org. 60 IN A 192.0.2.1"
    answer "{{ .Name }} 60 IN CNAME host.example.org."
}
template IN MX example.com {
    answer "{{ .Name }} 60 IN MX 10 mx1.example.com."
    answer "{{ .Name }} 60 IN MX 10 mx2.example.com."
    additional "mx1.example.com. 60 IN A 192.0.2.25"
}
template IN TXT large.example.com {
    answer "{{ .Name }} 60 IN TXT LARGE"
}
template IN AAAA mixed.example.com {
    answer "{{ .Name }} 60 IN AAAA 2001:db8::1"
}
template ANY ANY nx.example.com {
    rcode NXDOMAIN
    authority "example.com. 9 IN SOA ns.example.com. host.example.com. (1 60 60 60 60)"
    ederror 17 "not here"
}
template ANY ANY bad.example.com {
    rcode SERVFAIL
}
template ANY ANY example.com {
    rcode NOERROR
    authority "example.com. 9 IN SOA ns.example.com. host.example.com. (1 60 60 60 60)"
}
""".replace("LARGE", " ".join(["x" * 200] * 5))
OUTSIDE_NAMES = "www many served chained backwards mixed large nx bad nodata".split()
HOSTS = """hosts {
    10.9.9.9 web.default.svc.cluster.local new.default.svc.cluster.local
    10.9.9.9 www.example.com
    fallthrough
}
"""
EXTERNAL = "k8s_external example.org 10.in-addr.arpa {\nheadless\nfallthrough default.example.org\n}"
#: What answers names that the cluster does not have, wherever they fall through.
ZONE = """$TTL 30
@ SOA ns host 7 3600 600 86400 60
@ NS ns
* A 192.0.2.9
* A 192.0.2.10
a.default.svc A 192.0.2.11
db.default.svc TXT "not the cluster's"
web.other.svc CNAME a.default.svc
nginx.default.svc CNAME www.example.com.
"""


class Clock:
    """Unix seconds."""

    def __init__(self) -> None:
        self.now = CREATED + 0.5

    def __call__(self) -> float:
        return self.now


def random_corefile(rng: Random, scene: Scene) -> str:
    fronts = [
        rng.choice(ways)
        for ways in FRONTS
        if rng.random() < 0.3 or (ways[0] == "cache" and rng.random() < 0.8)
    ]
    lines: list[str] = [*fronts]
    if rng.random() < 0.7:
        lines.append(OUTSIDE)
    if rng.random() < 0.3:
        lines.append(HOSTS)
    if rng.random() < 0.3:
        lines.append(EXTERNAL)
    shared = tuple(f"multicluster {zone}" for zone in scene.multicluster)
    lines += [
        f"kubernetes {' '.join(zone for zone in scene.zones if zone != '.') or 'cluster.local'} {{",
        *shared,
    ]
    lines += [line for line in options(rng, scene) if not line.startswith(("fallthrough", "pods"))]
    lines.append(f"pods {rng.choice(('disabled', 'insecure', 'verified', 'verified'))}")
    if rng.random() < 0.7:
        lines.append(rng.choice(("fallthrough", "fallthrough svc.cluster.local")))
    lines.append("}")
    if rng.random() < 0.8:
        lines.append("file db cluster.local" + rng.choice(("", " {\nfallthrough\n}")))
    if rng.random() < 0.4:
        lines.append("file db example.edu")
    if rng.random() < 0.3:
        lines.append("whoami")
    return block(".", *lines)


def outside_query(rng: Random) -> bytes:
    name = rng.choice(OUTSIDE_NAMES) + rng.choice(("", "", "", ".cluster.local")) + ".example.com."
    if rng.random() < 0.3:
        name = f"{rng.choice((*NAMES, 'new'))}.{rng.choice(NAMESPACES)}.svc.cluster.local."
    if rng.random() < 0.15:
        name = f"{rng.choice(('', 'ns.', 'x.', 'db.default.svc.', 'web.other.svc.', 'nginx.default.svc.'))}example.edu."
    if rng.random() < 0.05:
        name = rng.choice(
            ("localhost.", "1.0.0.127.in-addr.arpa.", "localhost.example.com.", "web.default.example.net.")
        )
    question = names.from_text(name) + bytes((0, rng.choice((1, 1, 1, 28, 15, 16, 255)), 0, 1))
    low, high = rng.choice((0, 0, 0x10, 0x20, 0x40)), rng.choice((0, 1, 1, 1))
    head = rng.randbytes(2) + bytes((high, low)) + b"\0\1\0\0\0\0\0"
    if rng.random() < 0.5:
        return head + b"\0" + question
    size, do = rng.choice(SIZES).to_bytes(2, "big"), rng.choice((b"\0", b"\x80"))
    data = rng.choice((b"", b"", b"\0\3\0\0", b"\0\x0a\0\x08" + rng.randbytes(8)))
    return head + b"\1" + question + b"\0\0\x29" + size + b"\0\0" + do + b"\0\0" + bytes((len(data),)) + data


async def asked(rng: Random, judge: Court, octets: bytes) -> None:
    """By the quick ways; where they have nothing, mostly by the chain, from which a cache learns."""
    protocol, ipv6 = rng.choice(("udp", "udp", "tcp")), rng.random() < 0.3
    for _ in range(2):
        if await judge.ask(octets, protocol, ipv6=ipv6) is not None or rng.random() < 0.2:
            continue
        query = read_query(octets, judge.arrival(protocol, ipv6=ipv6))
        if isinstance(query, Query):
            await judge.dispatcher.resolve(query)


async def one_world(rng: Random, judge: Court, clock: Clock) -> None:
    changes = Changes(rng, judge)
    kept: list[bytes] = []
    for number in range(PACKETS // WORLDS // 2):
        octets = rng.choices((likely_query, usual_query, outside_query), (2, 3, 5))[0](rng)
        if kept and rng.random() < 0.6:
            octets = rng.choice(kept)
        kept = [*kept[-200:], octets]
        if rng.random() < 0.2:
            octets = respelled(rng, octets)
        if rng.random() < 0.1:
            octets = mutated(rng, [octets])
        await asked(rng, judge, octets)
        if number % (BETWEEN_CHANGES // 2) == 0:
            changes.next()
        if number % BETWEEN_SECONDS == 0:
            clock.now += rng.choice((0.3, 1, 1, 4, 31, 70, -3, -500))
    judge.check_counts()


async def test_whatever_stands_in_front(tmp_path: Path) -> None:
    rng = Random(33)
    fast = aside = ready = 0
    (tmp_path / "db").write_text(ZONE)
    for _ in range(WORLDS):
        scene, clock = random_scene(rng), Clock()
        text = random_corefile(rng, scene)
        async with court(text, scene.objects, now=clock, folder=tmp_path) as judge:
            judge.loosely = True
            try:
                await one_world(rng, judge, clock)
            except AssertionError as error:
                raise AssertionError(f"{text}\n{error}") from error
        fast, aside, ready = fast + judge.fast, aside + judge.aside, ready + judge.ready
        assert judge.dispatcher.panics == 0
    # No way may have been taken by hardly anybody: the test would prove nothing.
    assert ready > PACKETS // 60
    assert fast - ready > PACKETS // 60
    assert aside > PACKETS // 20
