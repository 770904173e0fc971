"""What to ask: every kind of name that the world has, and those that it lacks."""

from collections.abc import Iterator

TYPES = ("A", "AAAA", "SRV", "PTR", "TXT", "MX", "CNAME", "HTTPS")
CLUSTER = """
    web.default.svc dual.default.svc db.default.svc out.default.svc alias.default.svc api.prod.svc nope.default.svc
    _http._tcp.web.default.svc _https._tcp.web.default.svc _http._tcp.db.default.svc 10-4-0-11.db.default.svc
    db-0.db.default.svc 10-4-0-11.default.pod 10-4-0-99.default.pod client.default.pod default.svc nope.svc svc
    dns-version WEB.Default.SVC www.example.org.default.svc www.example.org.svc www.example.org
    web.default.svc.default.svc web.default.default.svc web.svc.prod.svc db.svc.default.svc api.internal
""".split()
REVERSE = """
    1.0.8.10.in-addr.arpa. 11.0.4.10.in-addr.arpa. 9.9.9.10.in-addr.arpa. 7.2.0.192.in-addr.arpa.
    9.2.0.192.in-addr.arpa. 1.2.0.192.in-addr.arpa.
    2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.0.0.0.0.0.d.f.ip6.arpa.
""".split()
EXTERNAL = """
    www.example.org. two.example.org. alias.example.org. mail.example.org. texts.example.org. six.example.org.
    failing.example.org. refused.example.org. nope.example.org. WWW.Example.ORG. www.example.org.example.net.
    db.corp.example. db.private.example. db.plain.example. db.stub.example. nope.corp.example. db.internal.example.
    node-1. node-2. machine.example. example1.org. example2.org. host.minikube.internal. api.cluster.local.
    a.internal.cloudapp.net. a.b.c.d.internal.cloudapp.net. x.reddog.microsoft.com. api.internal.k8s.local.
    web.default.old.example. web.default.svc.old.example. web.default.my.domain. nope.default.my.domain.
    api.prod.external.example. web.default.external.example. external.example. web.default.svc.other.local.
    localhost. health-check.localdns.local. hostname.bind.
""".split()


def names() -> Iterator[str]:
    """Absolute, each once."""
    yield "cluster.local."
    yield from (f"{name}.cluster.local." for name in CLUSTER)
    yield from (*REVERSE, *EXTERNAL)
