"""The machine that the tests of this folder share the making of."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnsserver.node import NodeSettings
from tests.node.machine import Machine, machine


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as found:
        yield found


BASE = ".:53 {\n bind __PILLAR__LOCAL__DNS__\n forward . __PILLAR__UPSTREAM__SERVERS__\n}\n"


@pytest.fixture
def settings(tmp_path: Path) -> NodeSettings:
    (tmp_path / "Corefile.base").write_text(BASE)
    (tmp_path / "kube-dns").mkdir()
    return NodeSettings(
        addresses=(ipaddress.ip_address("169.254.20.10"),),
        port=53,
        interface="nodelocaldns",
        manages_interface=True,
        manages_rules=True,
        health_port=8080,
        base_corefile=tmp_path / "Corefile.base",
        corefile=tmp_path / "Corefile",
        kube_dns=tmp_path / "kube-dns",
        upstream_service="kube-dns",
        cluster_dns="",
        metrics=("127.0.0.1", 0),
        sync_s=60,
        reload_by_signal=False,
        keeps=False,
    )
