"""Processes that run no longer, and are not dead either."""

import os
import signal
from pathlib import Path

from dnsserver.testing.kube_api import service
from tests.chaos.asking import ManyPorts
from tests.chaos.cluster import ApiServer
from tests.chaos.load import state_of
from tests.chaos.server import STABLE, STABLE_AT, Served
from tests.support.process import wait_until

#: Seconds. The parent's limit is 5, and it looks every second.
REPLACED_S = 9.0


def test_worker_and_control_stopped(api: ApiServer, tmp_path: Path) -> None:
    """The other worker answers on, and the clients of the stopped one have their answers when it is replaced."""
    with Served(tmp_path, api.url) as server, ManyPorts(server.port) as ports:
        server.up()
        worker, control = server.workers()[0], server.control()
        os.kill(worker, signal.SIGSTOP)
        os.kill(control, signal.SIGSTOP)
        ports.ask(STABLE)
        soon = ports.replies(len(ports.places), 1.0)
        assert 0 < len(soon) < len(ports.places), "all clients at one worker"
        late = ports.replies(len(ports.places) - len(soon), REPLACED_S)
        assert soon.keys() | late.keys() == ports.places, server.told()
        assert {state_of(reply) for reply in (*soon.values(), *late.values())} == {STABLE_AT}
        wait_until(lambda: control not in server.children(), server.told)
        api.add(service("late", "10.7.0.1"))
        server.asked_until("late.default.svc.cluster.local", ("10.7.0.1",))
        assert f"worker 1 (pid {worker}) hangs" in server.stdout
        assert f"control (pid {control}) hangs" in server.stdout
        wait_until(
            lambda: (
                server.metric("dnsserver_process_restarts_total", reason="hang", role="worker") == 1
                and server.metric("dnsserver_process_restarts_total", reason="hang", role="control") == 1
            ),
            server.told,
        )
        assert server.stop() == 0
