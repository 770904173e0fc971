"""From a pod to the node's own DNS: what is answered, what is tracked, and in which order things come and go."""

import os
import signal
from pathlib import Path

import pytest

from dnsserver.runtime.privileges import Capability
from tests.node.machine import (
    BASE,
    CLUSTER,
    INTERFACE,
    KUBE_DNS,
    LINK_LOCAL,
    SETTLED,
    WEB,
    WEB_AT,
    Machine,
    NodeDns,
)
from tests.support.process import wait_until
from tests.support.tools import tool

pytestmark = [pytest.mark.netns, pytest.mark.tool("ip", "nft", "dig", "curl")]

#: A Corefile that does not load.
BROKEN = BASE.replace("errors", "errrors")


def test_pod_is_answered_by_its_node(place: Machine) -> None:
    """On both addresses; from the cluster's DNS by TCP, once; and nothing of it is tracked."""
    assert place.asks(KUBE_DNS, WEB).data == WEB_AT, "by the cluster's DNS"
    before = place.tracked()
    assert len(before) == 1
    assert place.asked(WEB) == ["udp"]
    with NodeDns(place) as dns:
        dns.settled()
        for server in (LINK_LOCAL, KUBE_DNS):
            for flag in ("+notcp", "+tcp"):
                assert place.asks(server, WEB, flag).data == WEB_AT
        assert place.asked(WEB) == ["udp", "tcp"]
        assert place.asks(KUBE_DNS, "nothing.default.svc.cluster.local").status == "NXDOMAIN"
        assert place.asks(LINK_LOCAL, WEB, of=place.node).data == WEB_AT, "processes of the node itself"
        assert place.tracked() - before == set()
        assert dns.stop() == 0, dns.told()
    assert place.asks(KUBE_DNS, WEB).data == WEB_AT, "by the cluster's DNS again"
    assert place.asked(WEB) == ["udp", "tcp", "udp"]


def test_probe_and_metrics(place: Machine) -> None:
    with NodeDns(place) as dns:
        dns.settled()

        def got(url: str) -> str:
            return place.node.run(tool("curl"), "--silent", url)[1]

        assert got(f"http://{LINK_LOCAL}:8080/health") == "OK"
        assert place.asks(KUBE_DNS, WEB).data == WEB_AT
        assert "coredns_dns_requests_total{" in got("http://127.0.0.1:9253/metrics")
        errors = got("http://127.0.0.1:9353/metrics")
        for kind in ("iptables", "iptables_lock", "interface_add", "interface_check", "configmap"):
            assert f'coredns_nodecache_setup_errors_total{{errortype="{kind}"}} 0.0' in errors


def test_end_leaves_the_node_as_it_was(place: Machine) -> None:
    before = place.tables(), place.interfaces()
    with NodeDns(place) as dns:
        dns.settled()
        assert place.addresses() == [LINK_LOCAL, KUBE_DNS]
        assert len(place.rules()) == 16
        assert dns.stop() == 0, dns.told()
        assert dns.stderr == ""
        # The rules go first: what comes meanwhile is answered by the cluster's DNS.
        told = dns.stdout
        assert told.index("removed table") < told.index("SIGTERM") < told.index("removed interface")
    assert (place.tables(), place.interfaces()) == before


def test_skipteardown(place: Machine) -> None:
    with NodeDns(place, "-skipteardown") as dns:
        dns.settled()
        assert dns.stop() == 0, dns.told()
    assert place.addresses() == [LINK_LOCAL, KUBE_DNS]
    assert len(place.rules()) == 16


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_other_signals_that_end_it(place: Machine, number: signal.Signals) -> None:
    with NodeDns(place) as dns:
        dns.settled()
        assert dns.stop(number) == 0, dns.told()
    assert place.addresses() == place.rules() == []


def test_corefile_that_does_not_load(place: Machine) -> None:
    """It never has rules: pods are answered by the cluster's DNS all the time. Nor has it those of another before."""
    with NodeDns(place) as killed:
        killed.settled()
        killed.process.kill()
        killed.process.wait()
    assert len(place.rules()) == 16
    assert place.asks(KUBE_DNS, WEB).status == "", "the address is there, and nobody answers"
    with NodeDns(place, base=BROKEN) as dns:
        assert dns.end() == 1
        assert "errrors" in dns.stderr
    assert place.addresses() == place.rules() == []
    assert place.asks(KUBE_DNS, WEB).data == WEB_AT


def test_killed_and_started_again(place: Machine) -> None:
    """What was left is used; until there are answers, the cluster's DNS gives them."""
    with NodeDns(place) as dns:
        dns.settled()
        dns.process.kill()
        dns.process.wait()
    with NodeDns(place) as dns:
        dns.settled()
        assert "added interface" not in dns.stdout
        assert dns.stdout.index("removed table") < dns.stdout.index(SETTLED)
        assert place.asks(KUBE_DNS, WEB).data == WEB_AT
        assert dns.stop() == 0
    assert place.addresses() == place.rules() == []


def test_server_that_dies_takes_the_rules_along(place: Machine) -> None:
    with NodeDns(place) as dns:
        dns.settled()
        os.kill(dns.server(), signal.SIGKILL)
        assert dns.end() == 128 + signal.SIGKILL
        assert "the server was ended by signal 9" in dns.stdout
    assert place.addresses() == place.rules() == []
    assert place.asks(KUBE_DNS, WEB).data == WEB_AT


def test_who_answers_has_no_right_to_change_the_network(place: Machine) -> None:
    """Nor gets it by starting another program, for which root's would be enough."""
    with NodeDns(place) as dns:
        dns.settled()
        rights = {
            key: value.strip()
            for key, _, value in (
                line.partition(":") for line in Path(f"/proc/{dns.server()}/status").read_text().splitlines()
            )
        }
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert not int(rights[kind], 16) & Capability.NET_ADMIN
        assert int(rights["CapEff"], 16) & Capability.NET_BIND_SERVICE
        assert rights["NoNewPrivs"] == "1"
        assert dns.stop() == 0, dns.told()


def test_what_somebody_removes_comes_back(place: Machine) -> None:
    with NodeDns(place, "-syncinterval", "1s") as dns:
        dns.settled()
        place.node.run(tool("nft"), "flush", "chain", "inet", INTERFACE, "output")
        place.node.ip("address", "del", f"{LINK_LOCAL}/32", "dev", INTERFACE)
        wait_until(lambda: len(place.rules()) == 16 and LINK_LOCAL in place.addresses(), dns.told)
        place.node.run(tool("nft"), "delete", "table", "inet", INTERFACE)
        place.node.ip("link", "del", INTERFACE)
        wait_until(lambda: len(place.addresses()) == 2 and len(place.rules()) == 16, dns.told)
        assert place.asks(LINK_LOCAL, WEB).data == place.asks(KUBE_DNS, WEB).data == WEB_AT
        assert dns.stop() == 0, dns.told()


def test_neither_interface_nor_rules(place: Machine) -> None:
    """Both are left to others, as with a CNI plugin that redirects; the address may come after the start."""
    base = BASE.replace("    health 169.254.20.10:8080\n", "")
    words = ("-setupinterface=false", "-setupiptables=false")
    with NodeDns(place, *words, base=base, addresses=LINK_LOCAL) as dns:
        dns.wait_for("dnsserver-")
        assert place.addresses() == place.rules() == []
        place.node.address("lo", (f"{LINK_LOCAL}/32",))
        assert place.asks(LINK_LOCAL, WEB).data == WEB_AT
        assert dns.stop() == 0, dns.told()
    code, _ = place.node.run("grep", "-q", LINK_LOCAL, "/proc/net/fib_trie")
    assert code == 0, "not ours to remove"


def test_without_the_right_to(place: Machine) -> None:
    """An interface that cannot be made ends the start, with what is missing."""
    dropped = (tool("setpriv"), "--bounding-set", "-net_admin", "--inh-caps", "-net_admin")
    with NodeDns(place, prefix=dropped) as dns:
        assert dns.end() == 1
        assert "run as user 0 with the capability NET_ADMIN" in dns.stderr
    assert place.addresses() == []


def test_changed_config_map(place: Machine) -> None:
    """SIGUSR1 has it looked at now; what is wrong is told and counted, and changes nothing."""
    with NodeDns(place) as dns:
        dns.settled()
        assert place.asks(LINK_LOCAL, "host.corp.example").status == "NXDOMAIN"
        (dns.kube_dns / "stubDomains").write_text("{")
        dns.send(signal.SIGUSR1)
        dns.wait_for("ConfigMap kube-dns: stubDomains is no JSON")
        (dns.kube_dns / "stubDomains").write_text(f'{{"default.svc.cluster.local": ["{CLUSTER}"]}}')
        dns.send(signal.SIGUSR1)
        dns.wait_for("Updated Corefile with 1 custom stubdomains")
        dns.wait_for("[INFO] Reloading complete")
        assert place.asks(LINK_LOCAL, WEB).data == WEB_AT
        assert place.asked(WEB) == ["udp"], "stub domains are asked by UDP"
        counted = place.node.run(tool("curl"), "--silent", "http://127.0.0.1:9353/metrics")[1]
        assert 'coredns_nodecache_setup_errors_total{errortype="configmap"} 1.0' in counted
        assert dns.stop() == 0, dns.told()
