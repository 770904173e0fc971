"""What the workers count, told as one."""

import os
import signal
from pathlib import Path

import dns.message

from tests.chaos.asking import ManyPorts
from tests.chaos.cluster import ApiServer
from tests.chaos.server import STABLE, Served
from tests.support.process import wait_until

REQUESTS, RESPONSES = "coredns_dns_requests_total", "coredns_dns_responses_total"
RESTARTS = "dnsserver_process_restarts_total"
#: Seconds until a question shows in the metrics.
SHOWN_S = 2.0


def test_sums(api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as server, ManyPorts(server.port, 50) as ports:
        server.up()
        for _ in range(4):
            ports.ask(STABLE)
            assert len(ports.replies(50, 5.0)) == 50
        for _ in range(30):
            server.ask(STABLE, tcp=True)
        told = {"udp": 200.0, "tcp": 30.0}
        wait_until(
            lambda: {proto: server.metric(REQUESTS, proto=proto) for proto in told} == told,
            lambda: f"{[server.metric(REQUESTS, proto=proto) for proto in told]}",
            SHOWN_S,
        )
        assert server.metric(RESPONSES, rcode="NOERROR") == 230
        assert server.metric("coredns_dns_request_duration_seconds_count") == 230
        assert server.metric("dnsserver_workers") == 2
        assert server.metric("dnsserver_kubernetes_synced") == 1
        assert server.metric("dnsserver_kubernetes_objects", feed="services") == 15
        assert server.stop() == 0


def test_nothing_is_forgotten_when_workers_are_killed(api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as server, ManyPorts(server.port, 20) as ports:
        server.up()
        before, kills = 0.0, 0
        while kills < 3:
            ports.ask(STABLE)
            assert len(ports.replies(20, 5.0)) == 20
            now = server.metric(REQUESTS, proto="udp") or 0.0
            assert now >= before, "a counter went down"
            before = now
            if now > 0:
                victim = server.workers()[0]
                os.kill(victim, signal.SIGKILL)
                server.wait_for_others(victim, 3)
                kills += 1
        assert before > 0
        wait_until(
            lambda: server.metric(RESTARTS, role="worker", reason="signal") == kills, server.told, SHOWN_S
        )
        control = server.control()
        os.kill(control, signal.SIGKILL)
        server.wait_for_others(control, 3)
        wait_until(lambda: server.metric(RESTARTS, role="control", reason="signal") == 1, server.told)
        assert (server.metric(REQUESTS, proto="udp") or 0.0) >= before, "what workers count is not control's"
        assert server.stop() == 0


def test_every_worker_has_its_share(api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as server, ManyPorts(server.port, 64) as ports:
        server.up()
        for stopped in server.workers():
            os.kill(stopped, signal.SIGSTOP)
            ports.ask(STABLE)
            found: dict[int, dns.message.Message] = ports.replies(64, 0.5)
            os.kill(stopped, signal.SIGCONT)
            assert 8 < len(found) < 56, f"the other worker has {len(found)} of 64 clients"
            assert len(ports.replies(64 - len(found), 5.0)) == 64 - len(found)
        assert server.stop() == 0
