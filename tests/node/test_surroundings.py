"""A node on which there is something already: interfaces, addresses, tables, and what comes at a bad moment."""

import signal
import sys

import pytest

from tests.end_to_end.netns import Namespace
from tests.node.machine import BASE, INTERFACE, KUBE_DNS, LINK_LOCAL, WEB, WEB_AT, Machine, NodeDns
from tests.support.process import REPOSITORY, wait_until
from tests.support.tools import must_run, run, tool

pytestmark = [pytest.mark.netns, pytest.mark.tool("ip", "nft", "dig")]

LOCAL6 = "fd00::10"


def test_interface_of_others_is_not_touched(place: Machine) -> None:
    """A network is on it, so it would be missed when it is removed at the end."""
    place.node.ip("link", "add", INTERFACE, "type", "bridge")
    place.node.ip("address", "add", "172.17.0.1/16", "dev", INTERFACE)
    with NodeDns(place) as dns:
        assert dns.end() == 1
        assert f"interface {INTERFACE} is in use by others; give another name" in dns.stderr
    assert place.addresses() == ["172.17.0.1"]
    for name in ("lo", "far"):
        with NodeDns(place, "-interfacename", name) as dns:
            assert dns.end() == 1
            assert f"interface {name} is in use by others" in dns.stderr
    assert {"lo", "far"} <= set(place.interfaces())


def test_addresses_that_nobody_serves_any_more_go(place: Machine) -> None:
    """Those of one that was killed, and those of one from which another takes over: nobody would answer there."""
    place.node.ip("link", "add", INTERFACE, "type", "bridge")
    place.node.ip("address", "add", "10.96.0.99/32", "dev", INTERFACE)
    with NodeDns(place) as old:
        old.settled()
        assert place.addresses() == [LINK_LOCAL, KUBE_DNS]
        with NodeDns(place, "-syncinterval", "1s", name="new", addresses=LINK_LOCAL) as new:
            new.wait_for("Running configuration")
            assert place.addresses() == [LINK_LOCAL, KUBE_DNS], "the old one still answers"
            assert old.stop() == 0, old.told()
            wait_until(lambda: place.addresses() == [LINK_LOCAL], new.told)
            assert place.asks(KUBE_DNS, WEB).data == WEB_AT, "by the cluster's DNS"
            assert new.stop() == 0, new.told()
    assert place.addresses() == place.rules() == []


def test_both_families(place: Machine) -> None:
    for namespace, device, address in ((place.pod, "near", "fd01::2/64"), (place.node, "far", "fd01::1/64")):
        namespace.address(device, (address,))
    place.pod.ip("-6", "route", "add", "default", "via", "fd01::1")
    place.node.run(tool("sh"), "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    with NodeDns(place, "-syncinterval", "1s", addresses=f"{LINK_LOCAL},{LOCAL6}") as dns:
        dns.settled()
        for server in (LINK_LOCAL, LOCAL6):
            for flag in ("+notcp", "+tcp"):
                assert place.asks(server, WEB, flag).data == WEB_AT
        place.node.ip("address", "del", f"{LOCAL6}/128", "dev", INTERFACE)
        wait_until(lambda: LOCAL6 in place.addresses(), dns.told)
        assert place.asks(LOCAL6, WEB).data == WEB_AT
        assert dns.stop() == 0, dns.told()
    assert place.addresses() == place.rules() == []


def test_signals_during_the_start(place: Machine) -> None:
    """SIGUSR1 waits for the server; SIGTERM does not, and there never were rules."""
    (place.folder / "kubeconfig").write_text(
        'apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]\n'
        "users: [{name: u, user: {token: t}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
        "current-context: x\n"
    )
    watched = f"kubernetes cluster.local {{\n kubeconfig {place.folder}/kubeconfig\n startup_timeout 1m\n }}"
    forwarded = "forward . __PILLAR__CLUSTER__DNS__ {\n            force_tcp\n    }"
    with NodeDns(place, base=BASE.replace(forwarded, watched)) as dns:
        dns.wait_for(f"added {KUBE_DNS} to interface")
        dns.send(signal.SIGUSR1)
        dns.wait_for("127.0.0.1:1")
        assert dns.stop() == 0, dns.told()
        assert "rules of table" not in dns.stdout
    assert place.addresses() == place.rules() == []


#: Sets the rules of one address, and prints what was done and the memory that it took, in MiB.
ENSURE = """\
import ipaddress, re, sys
from pathlib import Path
from dnsserver.node import rules
found = rules.ensure(sys.argv[1], rules.wanted([ipaddress.ip_address("169.254.20.10")], 53, 8080))
most = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())  # getrusage() counts whoever forked us
print(len(found), int(most[1]) >> 10)
"""
CHANGES = (
    f"add table inet {INTERFACE} {{ flags dormant; }}",
    f"chain inet {INTERFACE} output {{ policy drop; }}",
    f"add chain inet {INTERFACE} more {{ type filter hook input priority 0; policy drop; }}",
    f"insert rule inet {INTERFACE} output counter drop",
    f"flush chain inet {INTERFACE} prerouting",
)
#: Rules of others, and MiB that are enough to look at ours: without them it takes 35.
OTHER_RULES, MEMORY_MAX = 20_000, 64


def test_what_somebody_does_to_the_table_is_undone() -> None:
    """However many rules others have in tables of the same family."""
    with Namespace() as node:
        words = (*node.prefix, sys.executable, "-c", ENSURE, INTERFACE)
        must_run(words, cwd=REPOSITORY)
        for change in CHANGES:
            must_run((*node.prefix, tool("nft"), change))
            assert must_run(words, cwd=REPOSITORY).split()[0] == "1", change
            text = must_run((*node.prefix, tool("nft"), "list", "table", "inet", INTERFACE))
            assert text.count("notrack") == 8
            assert "drop" not in text
            assert "dormant" not in text
        rules = "ip daddr 192.0.2.1 tcp dport 80 accept\n" * OTHER_RULES
        loaded = run(
            (*node.prefix, tool("nft"), "-f", "-"), text=f"table inet other {{\nchain c {{\n{rules}}}\n}}"
        )
        assert loaded.returncode == 0, loaded.stderr
        done, memory = map(int, must_run(words, cwd=REPOSITORY).split())
        assert done == 0
        assert memory < MEMORY_MAX
