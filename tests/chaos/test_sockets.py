"""Ports that are taken, and Corefiles of all shapes."""

import os
import signal
import socket
import time
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from dnsserver.testing.kube_api import service
from tests.chaos.cluster import ApiServer
from tests.chaos.load import state_of
from tests.chaos.server import STABLE, STABLE_AT, Served, fails, processes_with
from tests.support.process import free_port, wait_until


def test_second_server_on_the_port(api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as first:
        first.up()
        with Served(tmp_path, api.url, port=first.port, state=tmp_path / "other") as second:
            said = fails(second)
            assert "worker" not in second.stdout
        assert f"listen tcp 127.0.0.1:{first.port}: bind: address already in use" in said
        assert len(processes_with(str(tmp_path))) == 4, "the first one's"
        assert first.stop() == 0


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_taken_by_another_program(kind: socket.SocketKind, api: ApiServer, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        with Served(tmp_path, api.url, port=taken.getsockname()[1]) as server:
            assert "address already in use" in fails(server)
            assert server.stdout.count("worker") == 0


def test_http_port_is_taken(api: ApiServer, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ready = f"}}\nx.test:PORT {{\nbind 127.0.0.1\nwhoami\nhealth 127.0.0.1:{taken.getsockname()[1]}"
        with Served(tmp_path, api.url, lines=(ready,)) as server:
            assert "address already in use" in fails(server)


def kubernetes(zone: str, api: str) -> str:
    return f"{zone}:PORT {{\nbind 127.0.0.1\nkubernetes {zone} {{\nendpoint {api}\nstartup_timeout 500ms\n}}\n}}\n"


def test_two_clusters(api: ApiServer, tmp_path: Path) -> None:
    """Each has a store of its own; the whole is restored."""
    with ApiServer(api.background) as other:
        other.update(service("stable-0", "10.7.0.9"))
        blocks = kubernetes("cluster.local", api.url) + kubernetes("other.test", other.url)
        name = "stable-0.default.svc.other.test"
        for _ in range(2):
            with Served(tmp_path, blocks=blocks) as server:
                server.up()
                server.asked_until(STABLE, STABLE_AT)
                server.asked_until(name, ("10.7.0.9",))
                assert sorted(entry.name for entry in server.state.iterdir()) == [
                    "cluster-0",
                    "cluster-1",
                    "lock",
                ]
                assert server.stop() == 0
            api.stop()
            other.stop()
        api.start()
        other.start()


def test_no_cluster(tmp_path: Path) -> None:
    with Served(tmp_path, blocks=".:PORT {\nbind 127.0.0.1\nwhoami\nready 127.0.0.1:HTTP\n}\n") as server:
        server.up()
        for tcp in (False, True):
            assert server.ask("example.org", tcp=tcp).rcode() == dns.rcode.NOERROR
        for pid in (server.workers()[0], server.control()):
            os.kill(pid, signal.SIGKILL)
            server.wait_for_others(pid, 3)
        assert server.ask("example.org").rcode() == dns.rcode.NOERROR
        wait_until(lambda: server.ready()[0] == 200, server.told)
        assert server.stop() == 0


def test_every_address(api: ApiServer, tmp_path: Path) -> None:
    """Without `bind`, and with two addresses: the same answers on all."""
    blocks = kubernetes("cluster.local", api.url)
    for bind, hosts in (
        ("bind 127.0.0.1 ::1", ("127.0.0.1", "::1")),
        ("", ("127.0.0.1", "::1", "127.0.0.2")),
    ):
        with Served(tmp_path, blocks=blocks.replace("bind 127.0.0.1", bind)) as server:
            server.up()
            query = dns.message.make_query(STABLE, "A")
            for host in hosts:
                reply = dns.query.udp(query, host, timeout=2, port=server.port)
                assert state_of(reply) == STABLE_AT
                assert state_of(dns.query.tcp(query, host, timeout=2, port=server.port)) == STABLE_AT
            assert server.stop() == 0


def test_parent_killed_while_it_starts(api: ApiServer, tmp_path: Path) -> None:
    """At whatever moment: nothing is left behind, and the next start succeeds."""
    port = free_port()
    for pause_s in (0.2, 0.3, 0.4):
        with Served(tmp_path, api.url, port=port, workers=4) as server:
            time.sleep(pause_s)
            server.stop(signal.SIGKILL)
    with Served(tmp_path, api.url, port=port) as server:
        server.up()
        server.asked_until(STABLE, STABLE_AT)
        assert server.stop() == 0
        assert server.stderr == ""
