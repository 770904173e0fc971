"""Two of them on one node, as while a DaemonSet with maxSurge goes over to another version."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.node.machine import KUBE_DNS, LINK_LOCAL, WEB, Machine, NodeDns
from tests.support.process import PATIENCE_S, REPOSITORY, environment

pytestmark = [pytest.mark.netns, pytest.mark.tool("ip", "nft", "dig")]

#: Seconds in which both serve, and in which only one does.
OVERLAP_S = 0.3
TIMES = 2


@contextmanager
def _asking(place: Machine) -> Iterator[subprocess.Popen[str]]:
    """A pod that asks all the time, by UDP and TCP, on both addresses; at the end it says what it got."""
    words = (sys.executable, "-m", "tests.node.pod", WEB, LINK_LOCAL, KUBE_DNS)
    pod = subprocess.Popen(
        (*place.pod.prefix, *words),
        cwd=REPOSITORY,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield pod
    finally:
        pod.kill()
        pod.communicate()


def test_upgrade_without_a_lost_query(place: Machine) -> None:
    """The new one serves, then the old one is told to go: neither interface nor rules move, and each question has its
    answer."""
    dns = NodeDns(place, name="0").__enter__().settled()
    try:
        with _asking(place) as pod:
            for number in range(1, 1 + TIMES):
                new = NodeDns(place, name=f"{number}").__enter__()
                old, dns = dns, new
                dns.wait_for("Running configuration")
                time.sleep(OVERLAP_S)
                try:
                    assert old.stop() == 0, old.told()
                    assert "removed" not in old.stdout
                finally:
                    old.__exit__(None, None, None)
                time.sleep(OVERLAP_S)
            told, _ = pod.communicate("end", PATIENCE_S)
        assert "set the 16 rules" not in dns.stdout, "they were there all the time"
        assert dns.stop() == 0, dns.told()
    finally:
        dns.__exit__(None, None, None)
    asked, *failures = told.splitlines()
    assert failures == []
    assert int(asked) > 100
    assert place.addresses() == place.rules() == []


def test_new_one_that_does_not_load(place: Machine) -> None:
    """The old one goes on, and has its interface and rules."""
    with NodeDns(place) as old:
        old.settled()
        with NodeDns(place, name="new", base=".:53 {\n nonsense\n}\n") as new:
            assert new.end() == 1
        assert place.addresses() == [LINK_LOCAL, KUBE_DNS]
        assert len(place.rules()) == 16
        assert place.asks(LINK_LOCAL, WEB).status == "NOERROR"
        assert old.stop() == 0
    assert place.addresses() == place.rules() == []


def test_both_told_to_end(place: Machine) -> None:
    """The DaemonSet is deleted in the middle of it: whoever is last tidies up."""
    with NodeDns(place) as old:
        old.settled()
        with NodeDns(place, name="new") as new:
            new.wait_for("Running configuration")
            for dns in (old, new):
                dns.process.terminate()
            assert (old.end(), new.end()) == (0, 0)
    assert place.addresses() == place.rules() == []
