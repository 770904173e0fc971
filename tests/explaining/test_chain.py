"""Causes that lie in the Corefile, in other plugins and in other servers: a server is built, and no socket opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dnsserver.runtime.explaining import Asking, Explainer
from dnsserver.runtime.rehearsing import opened
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.standalone import given
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.records import Record, address_rdata
from tests.support.upstream import Script, closed_port, serving, silent, upstream

CLUSTER = """\
kubernetes cluster.local {
manifests cluster.yaml
}
"""
FORWARD = "forward . 127.0.0.1:UPSTREAM {\nmax_fails 0\n}\n"
WEB = "web.default.svc.cluster.local."
ALIAS = "outside.default.svc.cluster.local."
MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.9.0.80, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {type: ExternalName, externalName: db.example.com}
"""


DATABASE = Record(names.from_text("db.example.com."), Type.A, 60, address_rdata("192.0.2.5"))


@dataclass(frozen=True)
class Trouble:
    """`codes`: the causes, the first of them; `client` asks."""

    codes: tuple[str, ...]
    corefile: str
    name: str = "www.example.org."
    script: Script = silent
    client: str = ""
    rtype: str = "A"

    def __str__(self) -> str:
        return "-".join((*self.codes, self.name))


TROUBLES = (
    Trouble(("zone-not-served",), f"cluster.local {{\n{CLUSTER}}}"),
    Trouble(("no-next-plugin",), f". {{\n{CLUSTER}}}"),
    Trouble(("offline",), f". {{\n{CLUSTER}offline\n}}"),
    Trouble(("upstream-timeout",), f". {{\n{CLUSTER}{FORWARD}}}"),
    Trouble(("upstream-unreachable",), ". {\nforward . 127.0.0.1:CLOSED {\nmax_fails 0\n}\n}"),
    Trouble(("upstream-servfail",), f". {{\n{FORWARD}}}", script=serving(rcode=Rcode.SERVFAIL)),
    Trouble(("upstream-refused",), f". {{\n{FORWARD}}}", script=serving(rcode=Rcode.REFUSED)),
    Trouble(("upstream-nxdomain",), f". {{\n{FORWARD}}}", script=serving(rcode=Rcode.NXDOMAIN)),
    Trouble(("upstream-failed",), f". {{\n{FORWARD}}}", script=serving(rcode=Rcode.NOTIMP)),
    Trouble(("upstream-nodata",), f". {{\n{FORWARD}}}", script=serving()),
    Trouble(("answered-by-plugin",), ". {\ntemplate IN A example.org {\nrcode NXDOMAIN\n}\n}"),
    Trouble(
        ("no-such-service", "rewritten"),
        f". {{\nrewrite name www.example.org wbe.default.svc.cluster.local\n{CLUSTER}}}",
    ),
    Trouble(("blocked-by-acl",), f". {{\nacl {{\nblock\n}}\n{CLUSTER}}}", WEB),
    Trouble(
        ("blocked-by-acl",), f". {{\nacl {{\ndrop net 192.0.2.0/24\n}}\n{CLUSTER}}}", WEB, client="192.0.2.1"
    ),
    Trouble(
        ("another-block-answers", "offline"),
        f". {{\n{CLUSTER}}}\ndefault.svc.cluster.local {{\noffline\n}}",
        WEB,
    ),
    Trouble(
        ("not-synced",),
        ". {\nkubernetes cluster.local {\nendpoint http://127.0.0.1:CLOSED\nstartup_timeout 1ms\n}\n}",
        WEB,
    ),
    Trouble(
        ("external-name-target-missing", "upstream-servfail"),
        f". {{\n{CLUSTER}{FORWARD}}}",
        ALIAS,
        serving(rcode=Rcode.SERVFAIL),
    ),
    Trouble(("external-name-target-missing", "upstream-timeout"), f". {{\n{CLUSTER}{FORWARD}}}", ALIAS),
    Trouble(("said-by-server",), f". {{\n{CLUSTER}{FORWARD}}}", WEB, rtype="AXFR"),
    Trouble(("family-not-present",), f". {{\n{CLUSTER}{FORWARD}}}", WEB, rtype="AAAA"),
    Trouble(
        ("name-not-complete", "upstream-nxdomain"),
        f". {{\n{CLUSTER}{FORWARD}}}",
        "web.default",
        serving(rcode=3),
    ),
    Trouble(
        ("final-dot", "upstream-nxdomain"), f". {{\n{CLUSTER}{FORWARD}}}", "web.default.", serving(rcode=3)
    ),
)


@asynccontextmanager
async def explainer(corefile: str, script: Script, folder: Path) -> AsyncIterator[Explainer]:
    (folder / "cluster.yaml").write_text(MANIFESTS)
    async with upstream(script) as other:
        text = corefile.replace("UPSTREAM", str(other.port)).replace("CLOSED", str(closed_port()))
        server = ClusterDnsServer(given(text).read(), folder)
        async with opened(server, follows=True):
            yield Explainer(server)


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
async def test_cause(trouble: Trouble, tmp_path: Path) -> None:
    async with explainer(trouble.corefile, trouble.script, tmp_path) as asked:
        found = await asked.explain(Asking(trouble.name, trouble.rtype, trouble.client))
    assert tuple(cause.code for cause in found.causes)[: len(trouble.codes)] == trouble.codes
    assert not found.resolves


async def test_stored_answers(tmp_path: Path) -> None:
    async with explainer(f". {{\ncache\n{FORWARD}}}", serving([DATABASE]), tmp_path) as asked:
        found = [await asked.explain(Asking("db.example.com.")) for _ in range(2)]
    assert [[note.code for note in each.notes] for each in found] == [[], ["answered-from-cache"]]


async def test_way_of_a_name_that_resolves(tmp_path: Path) -> None:
    """By which plugin, which rule, and which object; no cause where nothing is wrong."""
    async with explainer(f". {{\nerrors\n{CLUSTER}{FORWARD}}}", serving([DATABASE]), tmp_path) as asked:
        own = await asked.explain(Asking(WEB))
        alias = await asked.explain(Asking(ALIAS))
        outside = await asked.explain(Asking("db.example.com."))
    assert [(step.plugin, step.did.name) for step in own.steps] == [
        ("errors", "PASSED"),
        ("kubernetes", "ANSWERED"),
    ]
    assert own.rule is not None
    assert (own.rule.code, str(own.rule.objects[0]), own.rule.objects[0].line) == (
        "cluster-ip",
        "Service default/web",
        1,
    )
    assert [(step.plugin, step.depth) for step in alias.steps] == [
        ("errors", 0),
        ("kubernetes", 0),
        ("errors", 1),
        ("kubernetes", 1),
        ("forward", 1),
    ]
    assert alias.rule is not None
    assert alias.rule.code == "external-name"
    assert outside.rule is not None
    assert outside.rule.code == "another-plugin"
    assert all(not each.causes for each in (own, alias, outside))
