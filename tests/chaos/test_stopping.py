"""SIGTERM: to one worker, which others take over from; and to the whole, under load."""

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.chaos.asking import ManyPorts
from tests.chaos.cluster import ApiServer
from tests.chaos.load import Load, loading, state_of
from tests.chaos.server import STABLE, STABLE_AT, Served

#: Seconds between two stopped workers.
PAUSE_S = 0.4
#: Seconds of `lameduck`.
LAMEDUCK_S = 1
#: Seconds that the end may take after that (coredns-compat.md, section 5.2).
DRAIN_S = 5
HEALTH = f"health 127.0.0.1:HTTP {{\nlameduck {LAMEDUCK_S}s\n}}"


def test_one_worker_told_to_end(api: ApiServer, tmp_path: Path) -> None:
    """Its successor has the same sockets: no question is lost, and nobody is refused."""
    with Served(tmp_path, api.url) as server:
        server.up()
        load = Load(api.cluster, server.port)
        with loading(api.background, load):
            for _ in range(4):
                time.sleep(PAUSE_S)
                worker = server.workers()[0]
                os.kill(worker, signal.SIGTERM)
                server.wait_for_others(worker, 3)
            time.sleep(PAUSE_S)
        assert load.udp.wrong + load.tcp.wrong == []
        assert load.udp.lost == load.udp.refused == load.tcp.lost == load.tcp.refused == 0, load
        assert "ended: exit code 0; it is replaced" in server.stdout
        assert server.stop() == 0
        assert server.stderr == ""


def test_whole_told_to_end_under_load(api: ApiServer, tmp_path: Path) -> None:
    """All questions that had arrived are answered; the port is free, and the lameduck seconds were served."""
    with Served(tmp_path, api.url, lines=(HEALTH,)) as server:
        server.up()
        load = Load(api.cluster, server.port)
        with loading(api.background, load):
            time.sleep(PAUSE_S)
            begun = time.monotonic()
            server.send(signal.SIGTERM)
            time.sleep(LAMEDUCK_S / 2)
            assert server.ready()[0] == 503
            assert load.udp.refused == load.tcp.refused == 0, "refused in the lameduck time"
            assert server.end() == 0
            took_s = time.monotonic() - begun
        assert LAMEDUCK_S <= took_s < LAMEDUCK_S + DRAIN_S
        assert load.udp.wrong + load.tcp.wrong == []
        assert load.udp.lost == load.tcp.lost == 0, load
        assert load.udp.refused > 0 < load.tcp.refused
        assert_free(server.port)
        assert server.stderr == ""


def test_what_has_arrived_at_the_end_is_answered(api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as server, ManyPorts(server.port, 200) as ports:
        server.up()
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)  # what comes now waits in their sockets
        ports.ask(STABLE)
        server.send(signal.SIGTERM)
        server.wait_for("SIGTERM")
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        found = ports.replies(len(ports.places), 5.0)
        assert found.keys() == ports.places
        assert {state_of(reply) for reply in found.values()} == {STABLE_AT}
        assert server.end() == 0


@pytest.mark.parametrize("lines", [(), (HEALTH,)], ids=["at once", "lameduck"])
def test_signal_to_every_process(lines: tuple[str, ...], api: ApiServer, tmp_path: Path) -> None:
    """As an init system may send it, the parent last: what had arrived is answered all the same."""
    with Served(tmp_path, api.url, lines=lines) as server, ManyPorts(server.port, 200) as ports:
        server.up()
        ports.ask(STABLE)
        assert len(ports.replies(200, 5.0)) == 200
        for child in server.children():
            os.kill(child, signal.SIGTERM)
        ports.ask(STABLE)
        server.send(signal.SIGTERM)
        assert len(ports.replies(200, 5.0)) == 200
        assert server.end() == 0
        assert "ended" not in server.stdout
        assert server.stderr == ""


def test_tcp_client_during_the_end_is_refused(api: ApiServer, tmp_path: Path) -> None:
    """While a connection of somebody else keeps a worker busy with its last answers, nobody new hangs."""
    with Served(tmp_path, api.url) as server:
        server.up()
        server.send(signal.SIGTERM)
        outcomes = set()
        while server.process.poll() is None:
            outcomes.add(connecting(server.port))
        assert server.end() == 0
        assert outcomes <= {"served", "refused"}, outcomes
        assert connecting(server.port) == "refused"


def connecting(port: int) -> str:
    """What becomes of a client that connects and asks."""
    with socket.socket() as client:
        client.settimeout(2.0)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(bytes.fromhex("0011 0001 0000 0001 0000 0000 0000 00 0001 0001".replace(" ", "")))
            return "served" if client.recv(512) else "refused"
        except TimeoutError:
            return "hung"
        except ConnectionError:
            return "refused"


def assert_free(port: int) -> None:
    """Nobody has the port, without the options that let several have it."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with contextlib.closing(socket.socket(socket.AF_INET, kind)) as sock:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # over connections in TIME_WAIT
            sock.bind(("127.0.0.1", port))
