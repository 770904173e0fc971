"""What is asked of a cluster."""

from pathlib import Path

from dnsserver.comparing.questions import cluster_questions, sampled
from dnsserver.comparing.states import described
from dnsserver.wire import names
from dnsserver.wire.codes import type_name
from dnsserver.wire.question import Question
from tests.comparing.replies import question

ZONE = names.from_text("cluster.local")
MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.1.1, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: hl, namespace: prod}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: hl-1, namespace: prod, labels: {kubernetes.io/service-name: hl}}
addressType: IPv4
endpoints: [{addresses: [10.244.1.7], hostname: hl-0}]
ports: [{name: http, port: 80, protocol: TCP}]
---
apiVersion: v1
kind: Service
metadata: {name: ext}
spec: {type: ExternalName, externalName: db.example.com}
"""
WANTED = """
    cluster.local. SOA
    cluster.local. NS
    web.default.svc.cluster.local. A
    web.default.svc.cluster.local. AAAA
    web.default.svc.cluster.local. SRV
    _http._tcp.web.default.svc.cluster.local. SRV
    hl-0.hl.prod.svc.cluster.local. A
    _http._tcp.hl.prod.svc.cluster.local. SRV
    ext.default.svc.cluster.local. CNAME
    ext.default.svc.cluster.local. A
    dns-version.cluster.local. TXT
    1.1.96.10.in-addr.arpa. PTR
    7.1.244.10.in-addr.arpa. PTR
    10-244-1-7.prod.pod.cluster.local. A
    web.default.default.svc.cluster.local. A
    web.default.svc.cluster.local.default.svc.cluster.local. AAAA
    web.default.svc.cluster.local.svc.cluster.local. A
    web.default.svc.cluster.local.cluster.local. A
    example.com.prod.svc.cluster.local. A
    dnsserver-compare-absent.default.svc.cluster.local. A
    _dnsserver-compare-absent._tcp.web.default.svc.cluster.local. SRV
    default.svc.cluster.local. A
    dnsserver-compare-absent.dnsserver-compare-absent.svc.cluster.local. AAAA
"""


def shown(one: Question) -> str:
    return f"{names.to_text(one.name)} {type_name(one.rtype)}"


async def test_every_kind_of_name(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(MANIFESTS)
    kinds = cluster_questions(await described([tmp_path]), ZONE)
    every = sampled(kinds, 0, 0)
    texts = [shown(one) for one in every]
    assert [line.strip() for line in WANTED.strip().splitlines() if line.strip() not in texts] == []
    assert len(texts) == len(set(texts))
    assert not [text for text in texts if text.endswith("in-addr.arpa. A")]


def some(kind: str, count: int) -> list[Question]:
    return [question(f"{kind}-{number}. A") for number in range(count)]


def test_a_sample_has_all_of_what_is_rare() -> None:
    kinds = {"many": some("many", 1_000), "more": some("more", 2_000), "few": some("few", 3)}
    chosen = sampled(kinds, 103, 7)
    counts = {kind: sum(one in chosen for one in questions) for kind, questions in kinds.items()}
    assert counts == {"few": 3, "many": 50, "more": 50}
    assert sampled(kinds, 103, 7) == chosen
    assert sampled(kinds, 103, 8) != chosen
    assert len(sampled(kinds, 0, 7)) == 3_003


def test_the_same_name_in_other_case_is_one_question() -> None:
    assert sampled({"given": [question("a.example. A"), question("A.example. A")]}, 0, 0) == [
        question("a.example. A")
    ]
