"""Plugins that stand in front of the cluster's names and leave them alone keep nobody from the quick replies."""

from pathlib import Path

import pytest

from dnsserver.wire.codes import Type
from dnsserver.zone.objects import ClusterObject
from tests.answers.objects import namespaces, service
from tests.fast.court import block, court
from tests.fast.test_blocks import asked as question
from tests.fast.test_blocks import named, with_opt

KUBERNETES = "kubernetes cluster.local"
OBJECTS: tuple[ClusterObject, ...] = (*namespaces("default"), service("default/web", "10.96.0.1", "http:80"))


@pytest.mark.parametrize(
    ("lines", "rtype", "quick"),
    [
        ("hosts {file} { \n 10.0.0.1 other.example.org \n fallthrough \n }", Type.A, True),
        ("hosts {file} { \n 10.0.0.1 web.default.svc.cluster.local \n fallthrough \n }", Type.A, False),
        ("hosts {file}", Type.A, False),
        ("hosts {file} example.org", Type.A, True),
        ("local", Type.A, True),
        ("nsid here", Type.A, True),
        ("loop", Type.A, True),
        ("any", Type.A, True),
        ("chaos", Type.A, True),
        ("dns64", Type.A, True),
        ("dns64", Type.AAAA, False),
        ("acl { \n allow net 127.0.0.0/8 \n }", Type.A, True),
        ("acl { \n block type MX \n }", Type.A, True),
        ("acl { \n drop net 192.0.2.0/24 \n }", Type.A, False),
        ("log", Type.A, False),
        ("log . { \n class all \n }", Type.A, False),
        ("log . { \n class error \n }", Type.A, True),
        ("log . { \n class denial error \n }", Type.A, True),
        ("log . { \n class denial \n }", Type.MX, False),
        ("log . { \n class success \n }", Type.A, False),
        ("log . { \n class success \n }", Type.MX, True),
        ("log example.org", Type.A, True),
        ("log example.org cluster.local", Type.A, False),
    ],
)
async def test_bystanders(lines: str, rtype: Type, quick: bool, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("10.0.0.2 more.example.org\n")
    corefile = block(".", lines.replace("{file}", str(tmp_path / "hosts")), KUBERNETES)
    async with court(corefile, OBJECTS) as judge:
        at_hand = await judge.twice(named("web", rtype))
        assert (at_hand is not None) is quick


async def test_options_take_the_chain_where_nsid_reads_them() -> None:
    async with court(block(".", "nsid here", KUBERNETES), OBJECTS) as judge:
        asks = with_opt(question("web.default.svc.cluster.local."), rdata=b"\0\3\0\0")
        assert await judge.ask(asks) is None
