"""What an earlier run left: served at once, said to be stale, replaced when the cluster is known again."""

import os
import signal
import time
from pathlib import Path

import dns.rcode
import pytest

from dnsserver.testing.kube_api import service
from tests.chaos.cluster import ApiServer
from tests.chaos.load import state_of
from tests.chaos.server import STABLE, STABLE_AT, Served, is_stale
from tests.support.process import wait_until

#: Seconds from the start of the process to the first right answer; the aim is half a second on an idle machine.
FIRST_ANSWER_S = 3.0
CHANGED = "stable-1.default.svc.cluster.local"
GONE = "stable-2.default.svc.cluster.local"
RESTORED = "dnsserver_kubernetes_restored"


def left_by_an_earlier_run(api: ApiServer, folder: Path, number: signal.Signals = signal.SIGTERM) -> Path:
    """Serve the cluster once; the folder of its state."""
    with Served(folder, api.url) as server:
        server.up()
        server.asked_until(STABLE, STABLE_AT)
        server.stop(number)
        return server.state


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_api_server_down_at_the_start(number: signal.Signals, api: ApiServer, tmp_path: Path) -> None:
    left_by_an_earlier_run(api, tmp_path, number)
    api.stop()
    begun = time.monotonic()
    with Served(tmp_path, api.url) as server:
        server.asked_until(STABLE, STABLE_AT)
        assert time.monotonic() - begun < FIRST_ANSWER_S
        server.up()
        reply = server.ask(STABLE)
        assert is_stale(reply)
        assert state_of(reply) == STABLE_AT
        assert not server.ask(STABLE, edns=False).options
        assert is_stale(server.ask(f"no.{STABLE}", tcp=True)), "a name that is not there"
        wait_until(lambda: server.ready()[0] == 200, server.told)
        assert server.metric(RESTORED) == 1
        assert "Traceback" not in server.stdout
        api.update(service("stable-1", "10.7.0.1"))
        api.delete(service("stable-2"))
        api.start()
        server.asked_until(CHANGED, ("10.7.0.1",))
        wait_until(lambda: server.ask(GONE).rcode() == dns.rcode.NXDOMAIN, server.told)
        wait_until(lambda: not is_stale(server.ask(GONE)), server.told)
        for name in (STABLE, CHANGED, GONE):
            assert not is_stale(server.ask(name)), name
        wait_until(lambda: server.metric(RESTORED) == 0, server.told)
        assert server.ready()[0] == 200
        assert server.stop() == 0
        assert server.stderr == ""


def test_api_server_down_and_nothing_left(api: ApiServer, tmp_path: Path) -> None:
    """Names of the cluster cannot be told, so they are not said to be absent either."""
    api.stop()
    with Served(tmp_path, api.url) as server:
        server.up()
        for name in (STABLE, f"no.{STABLE}"):
            assert server.ask(name).rcode() == dns.rcode.SERVFAIL
        wait_until(lambda: server.ready()[0] == 503, server.told)
        api.start()
        server.asked_until(STABLE, STABLE_AT)
        assert server.stop() == 0


def test_control_killed_while_the_api_server_is_down(api: ApiServer, tmp_path: Path) -> None:
    """Once with a state that was complete in this run, once with one that has never been."""
    with Served(tmp_path, api.url) as server:
        server.up()
        api.stop()
        for _ in range(2):
            control = server.control()
            os.kill(control, signal.SIGKILL)
            server.wait_for_others(control, 3)
            assert state_of(server.ask(STABLE)) == STABLE_AT
        wait_until(lambda: server.ready()[0] == 200, server.told)
        server.up()
        api.update(service("stable-0", "10.7.0.2"))
        api.start()
        server.asked_until(STABLE, ("10.7.0.2",))
        assert server.stop() == 0


def test_control_killed_when_the_state_is_old(api: ApiServer, tmp_path: Path) -> None:
    """The limit to the age is for what an earlier run left, not for the death of who writes in this one."""
    with Served(tmp_path, api.url, "--state-max-age", "2s") as server:
        server.up()
        server.asked_until(STABLE, STABLE_AT)
        api.stop()
        time.sleep(3.0)
        control, workers = server.control(), server.workers()
        os.kill(control, signal.SIGKILL)
        server.wait_for_others(control, 3)
        server.control()  # listens for HTTP: its store is there
        for worker in workers:  # the new ones have nothing but that
            os.kill(worker, signal.SIGKILL)
            server.wait_for_others(worker, 3)
        for _ in range(20):
            server.asked_until(STABLE, STABLE_AT)
        assert is_stale(server.ask(STABLE))
        assert "is not used" not in server.stdout
        api.update(service("stable-0", "10.7.0.2"))
        api.start()
        server.asked_until(STABLE, ("10.7.0.2",))
        assert server.stop() == 0


def flipped(data: Path) -> None:
    """Every page is hit."""
    octets = bytearray(data.read_bytes())
    for place in range(100, len(octets), 1009):
        octets[place] ^= 0x40
    data.write_bytes(octets)


def cut(data: Path) -> None:
    os.truncate(data, data.stat().st_size // 2)


def emptied(data: Path) -> None:
    data.write_bytes(b"")


def test_damaged(api: ApiServer, tmp_path: Path) -> None:
    """In whatever way: a normal start. What is sound again after it is taken over by the next."""
    state = left_by_an_earlier_run(api, tmp_path)
    for number, spoil in enumerate((flipped, cut, emptied)):
        spoil(state / "cluster-0" / "data.mdb")
        address = f"10.7.0.{number}"
        api.update(service("stable-0", address))
        with Served(tmp_path, api.url) as server:
            server.asked_until(STABLE, (address,))
            assert_set_aside(server)
            assert not is_stale(server.ask(STABLE))
            assert server.stop() == 0
            assert server.stderr == ""


def test_too_old(api: ApiServer, tmp_path: Path) -> None:
    left_by_an_earlier_run(api, tmp_path)
    time.sleep(1.1)
    set_aside(api, tmp_path, "--state-max-age", "1s", reason="too old")


def test_of_another_configuration(api: ApiServer, tmp_path: Path) -> None:
    left_by_an_earlier_run(api, tmp_path)
    block = f"kubernetes cluster.local {{\nendpoint {api.url}\npods disabled\nstartup_timeout 100ms\n}}"
    text = f".:PORT {{\nbind 127.0.0.1\nready 127.0.0.1:HTTP\n{block}\n}}\n"
    set_aside(api, tmp_path, blocks=text, reason="of another configuration")


def assert_set_aside(server: Served, reason: str = "") -> None:
    """One line says so, and why."""
    said = [line for line in server.stdout.splitlines() if "what an earlier run left is not used" in line]
    assert len(said) == 1, server.told()
    assert reason in said[0]
    assert (server.state / "cluster-0" / "data.mdb.aside").exists()


def set_aside(api: ApiServer, folder: Path, *flags: str, reason: str, blocks: str = "") -> None:
    """Start without the API server: nothing of what is there is served."""
    api.stop()
    with Served(folder, api.url, *flags, blocks=blocks) as server:
        server.up()
        assert server.ask(STABLE).rcode() == dns.rcode.SERVFAIL
        assert_set_aside(server, reason)
        assert server.stop() == 0
        assert server.stderr == ""
