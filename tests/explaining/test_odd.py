"""Situations with several things that look like a cause: the first that is told is the one to mend first."""

import re
from pathlib import Path

import pytest

from dnsserver.runtime.explaining import Asking, Explainer
from tests.explaining.test_explained import running

ODD = Path(__file__).parent / "odd.yaml"

#: Question (`NAME TYPE`, the name below shop.svc.cluster.local unless it has a final dot), first cause, an object to
#: mend, and words of sentence and advice.
CASES = (
    ("multi A", "selector-matches-nothing", "Service shop/multi", "tier=back-end instead of tier=backend"),
    ("_http._tcp.multi SRV", "selector-matches-nothing", "Service shop/multi", "tier=back-end"),
    ("pending A", "no-ready-endpoint", "Pod shop/pending-1", "on no node: 0/3 nodes are available"),
    ("ended A", "no-ready-endpoint", "Pod shop/ended-1", r"phase Succeeded.*do not come back"),
    ("alias A", "external-name-target-missing", "Service shop/alias", "tier=back-end instead of"),
    (
        "alias-short A",
        "external-name-not-complete",
        "Service shop/alias-short",
        r"externalName: dual\.shop\.svc\.clus",
    ),
    (
        "alias-other-zone A",
        "external-name-not-complete",
        "Service shop/alias-other-zone",
        r"zone .* is cluster\.local",
    ),
    ("alias-url A", "external-name-invalid", "Service shop/alias-url", "clients know scheme"),
    ("alias-out A", "external-name-target-missing", "Service shop/alias-out", "The server is offline"),
    ("db-0.db A", "ordinal-beyond-replicas", "StatefulSet shop/db", r"db-5 to db-6.*ordinals.start is 5"),
    ("db-7.db A", "ordinal-beyond-replicas", "StatefulSet shop/db", r"db-5 to db-6.*Scale it up"),
    ("idle A", "workload-without-pods", "Deployment shop/idle", r"replicas: 0"),
    ("train-2.workers A", "no-such-endpoint", "Service shop/workers", "train-0, train-1"),
    ("train-0.workers AAAA", "family-not-present", "Service shop/workers", "IPv4 only"),
    ("names A", "slices-of-host-names", "EndpointSlice shop/names-1", "FQDN"),
    ("_dns._tcp.two-ports SRV", "wrong-protocol", "Service shop/two-ports", "is UDP, not TCP"),
    ("dual MX", "type-not-present", "Service shop/dual", "MX"),
    (
        "dual.shop.svc.corp.internal. A",
        "another-zone",
        "Service shop/dual",
        r"dual\.shop\.svc\.cluster\.local\. ",
    ),
)


@pytest.mark.parametrize(("asked", "code", "mended", "words"), CASES, ids=[case[0] for case in CASES])
async def test_first_cause(asked: str, code: str, mended: str, words: str) -> None:
    name, rtype = asked.split()
    name = name if name.endswith(".") else f"{name}.shop.svc.cluster.local."
    async with running(ODD) as server:
        found = await Explainer(server).explain(Asking(name, rtype))
    first = found.causes[0]
    assert (first.code, mended in map(str, first.objects)) == (code, True)
    assert re.search(words, f"{first.sentence} {first.advice}")


async def test_what_is_published_before_it_is_ready_is_not_to_be_published() -> None:
    async with running(ODD) as server:
        found = await Explainer(server).explain(Asking("pending.shop.svc.cluster.local."))
    assert "publishNotReadyAddresses" not in found.causes[0].advice


@pytest.mark.parametrize("asked", ["dual A", "dual AAAA", "train-0.workers A", "db-5.db A"])
async def test_no_cause_where_there_is_an_answer(asked: str) -> None:
    name, rtype = asked.split()
    async with running(ODD) as server:
        found = await Explainer(server).explain(Asking(f"{name}.shop.svc.cluster.local.", rtype))
    assert (found.resolves, found.causes) == (True, ())
