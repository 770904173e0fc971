"""The right cause for each mistake, and the objects to look at; no cause where there is no mistake."""

from dataclasses import replace

import pytest

from dnsserver.explaining.cause import SHORT, SHORT_MAX
from dnsserver.explaining.evidence import Evidence
from dnsserver.explaining.nearest import distance, nearest
from dnsserver.sources.selectors import parse
from dnsserver.zone.policy import PodMode, RecordPolicy
from tests.explaining.situation import evidence, explained, served

#: Question -> the first cause and its objects, the first of which is to be mended.
CASES = {
    "web.defualt.svc A": "no-such-namespace",
    "wbe.default.svc A": "no-such-service: Service default/web",
    "zzz.default.svc A": "no-such-service",
    "db.default.svc A": "service-in-another-namespace: Service data/db",
    "default.web.svc A": "names-swapped: Service default/web",
    "web.default A": "svc-label-missing: Service default/web",
    "foo.bar A": "not-a-cluster-name",
    "a.b.c.web.default.svc A": "too-many-labels",
    "www.example.com.default.svc A": "search-list-suffix",
    "www.example.com.svc A": "search-list-suffix",
    "www.example.com A": "search-list-suffix",
    "web.default.svc.cluster.local.default.svc A": "search-list-suffix",
    "typo.default.svc A": "selector-matches-nothing: Service default/typo, Deployment default/web,"
    " Pod default/web-qbbvlbjh6n-2f4fc",
    "_http._tcp.typo.default.svc SRV": "selector-matches-nothing: Service default/typo, Deployment default/web,"
    " Pod default/web-qbbvlbjh6n-2f4fc",
    "slow.default.svc A": "no-ready-endpoint: Service default/slow, Pod default/slow-1",
    "leaving.default.svc A": "terminating-only: Service default/leaving, Pod default/leaving-1",
    "lonely.default.svc A": "service-without-selector: Service default/lonely",
    "sliced.default.svc A": "no-ready-endpoint: EndpointSlice default/sliced-1, Service default/sliced",
    "_htpt._tcp.web.default.svc SRV": "no-such-port: Service default/web",
    "_http._udp.web.default.svc SRV": "wrong-protocol: Service default/web",
    "_tcp._http.web.default.svc SRV": "port-and-protocol-swapped: Service default/web",
    "_http._tcp.plain.default.svc SRV": "port-without-name: Service default/plain",
    "_amqp._tcp.queue.data.svc SRV": "target-port-missing: Service data/queue, StatefulSet data/queue,"
    " Pod data/queue-0",
    "db-0.db.data.svc A": "service-name-mismatch: StatefulSet data/db, Service data/db",
    "queue-5.queue.data.svc A": "ordinal-beyond-replicas: StatefulSet data/queue",
    "single.db.data.svc A": "pod-without-subdomain: Pod data/single, Service data/db",
    "slow-1.slow.default.svc A": "pod-without-subdomain: Pod default/slow-1, Service default/slow",
    "leaving-1.web.default.svc A": "pod-not-selected: Pod default/leaving-1, Service default/web",
    "slow-1.default.svc A": "pod-name-without-service: Pod default/slow-1",
    "zzz.queue.data.svc A": "no-such-endpoint: Service data/queue",
    "web.default.svc AAAA": "family-not-present: Service default/web",
    "web.default.svc MX": "type-not-present: Service default/web",
    "default.svc A": "type-not-present",
    "alias.default.svc A": "external-name-target-missing: Service default/alias",
    "address.default.svc A": "external-name-is-address: Service default/address",
    "circle.default.svc A": "external-name-loop: Service default/circle, Service default/around",
    "x.alias.default.svc A": "below-external-name: Service default/alias",
    "10-244-0-9.default.pod A": "pods-disabled",
    "1.2.0.192.in-addr.arpa. PTR": "no-such-address",
    "9.0.244.10.in-addr.arpa. PTR": "no-such-address: Pod default/slow-1",
    "0.192.in-addr.arpa. PTR": "not-a-reverse-name",
}


@pytest.fixture(scope="module")
def known() -> Evidence:
    return evidence()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cause(case: str, known: Evidence) -> None:
    assert explained(case, known, served())[:1] == [CASES[case]]


#: Options of the block, a question, and the first cause.
OPTIONS = (
    (
        served(policy=RecordPolicy(namespaces=frozenset({"data"}))),
        "web.default.svc A",
        "namespace-hidden: Namespace default",
    ),
    (
        served(namespace_labels=parse("kubernetes.io/metadata.name=data")),
        "web.default.svc A",
        "namespace-hidden: Namespace default",
    ),
    (served(labels=parse("tier=back")), "web.default.svc A", "service-hidden: Service default/web"),
    (served(endpoints=False), "db.data.svc A", "endpoints-not-watched: Service data/db"),
    (served(policy=RecordPolicy(pods=PodMode.INSECURE)), "web.default.pod A", "malformed-pod-name"),
    (served(policy=RecordPolicy(pods=PodMode.VERIFIED)), "10-9-9-9.default.pod A", "no-pod-with-address"),
    (
        served(policy=RecordPolicy(pods=PodMode.VERIFIED)),
        "10-244-0-9.data.pod A",
        "no-pod-with-address: Pod default/slow-1",
    ),
    (served(policy=RecordPolicy(pods=PodMode.INSECURE)), "10-9-9-9.default.pod AAAA", "family-not-present"),
    (
        served(policy=RecordPolicy(ignore_empty_service=True)),
        "sliced.default.svc A",
        "no-ready-endpoint: EndpointSlice default/sliced-1, Service default/sliced",
    ),
)


@pytest.mark.parametrize(("how", "asked", "cause"), OPTIONS, ids=[cause for _, _, cause in OPTIONS])
def test_options_of_the_block(how: object, asked: str, cause: str, known: Evidence) -> None:
    assert explained(asked, known, how)[:1] == [cause]  # type: ignore[arg-type]


def test_what_could_not_be_seen_is_not_claimed(known: Evidence) -> None:
    """Without the right to list pods it is not known what the selector matches."""
    blind = replace(
        known,
        objects=tuple(
            each for each in known.objects if each.place.kind not in ("Pod", "EndpointSlice", "StatefulSet")
        ),
        unseen={"Pod": "not allowed to list pods", "StatefulSet": "not allowed to look at StatefulSets"},
    )
    assert explained("typo.default.svc A", blind, served()) == ["no-ready-endpoint: Service default/typo"]


def test_short_texts_fit_beside_an_answer() -> None:
    assert {code for code, text in SHORT.items() if len(text.encode("ascii")) > SHORT_MAX} == set()


def test_nearest_names() -> None:
    assert nearest("ngnix", ["nginx", "mysql", "nginx-2"]) == ("nginx",)
    assert nearest("web", ["web", "api", "wbe"]) == ("wbe",)
    assert (distance("ab", "ba"), distance("", "abc"), distance("kitten", "sitting")) == (1, 3, 3)
